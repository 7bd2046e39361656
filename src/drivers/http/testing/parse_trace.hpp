// For tests and the fuzzer: the outcome of parsing a stream of bytes, as text, so that two ways of
// cutting the same stream can be compared.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "drivers/http/request_parser.hpp"

namespace um::http::testing {

inline void describe(const RequestParser& parser, const InputBuffer& input, std::string& out) {
  ParsedRequest request;
  request.bind(parser, input);
  const Head& head = parser.head();
  out.append(to_string(request.method)).append(" ").append(request.path);
  out.append(" ?").append(request.query);
  out.append(head.persistence == Persistence::close ? " close" : " keep");
  for (const Field& field : head.fields) {
    const std::string_view name = field.name.of(input.data());
    out.append(" [").append(name).append("=").append(field.value.of(input.data()));
    out.append("|").append(request.header(name)).append("]");
  }
  out.append(" (").append(request.body).append(")\n");
}

// Feeds `bytes` in pieces of next_size() bytes (at least 1). Every request is a line; the last line
// is "refused STATUS why" or the stage in which the parser waits for more.
template <class NextSize>
std::string trace_requests(std::string_view bytes, const Limits& limits, NextSize next_size) {
  std::string out;
  InputBuffer input;
  RequestParser parser{limits};
  while (true) {
    const auto progress = parser.advance(input);
    if (progress == RequestParser::Progress::complete) {
      describe(parser, input, out);
      parser.next(input);
      continue;
    }
    if (progress == RequestParser::Progress::refused) {
      const Refusal& refusal = parser.refusal();
      return out + "refused " + std::to_string(status_of(refusal.reason)) + " " +
             std::string{refusal.detail};
    }
    if (bytes.empty()) break;
    const auto room = input.prepare(RequestParser::max_bytes(limits));
    if (room.empty()) return out + "no room";  // never: see RequestParser::max_bytes
    const std::size_t size = std::min({next_size(), bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), size);
    input.commit(size);
    bytes.remove_prefix(size);
  }
  return out + "waits in stage " + std::to_string(static_cast<int>(parser.stage()));
}

inline std::string trace_whole(std::string_view bytes, const Limits& limits = {}) {
  return trace_requests(bytes, limits, [&] { return bytes.size() + 1; });
}

}  // namespace um::http::testing
