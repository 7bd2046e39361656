// The header section of a request: its lines, and what they say together.
//
// Lines are parsed one by one as they arrive; check_head() judges the whole (RFC 9112 sections 3, 6
// and 7, RFC 9110 sections 5, 7.2 and 10.1.1), stricter than those where a looser reading would let
// two programs disagree about where a request ends. Pure. Positions instead of views, because the
// buffer that holds the bytes may move while the request is still arriving.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "drivers/http/limits.hpp"
#include "drivers/http/message.hpp"
#include "drivers/http/rejection.hpp"

namespace um::http {

// Bytes [at, at + size) of the request.
struct Slice {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
  std::string_view of(const char* base) const { return {base + at, size}; }
};

struct Field {
  Slice name;
  Slice value;  // without white space around it
};

enum class Version { http_1_0, http_1_1 };
enum class BodyKind { none, sized, chunked };
enum class Persistence { keep_alive, close };

struct Head {
  Method method = Method::get;
  bool method_known = false;  // `method` was read; the rest may have been refused
  Checked method_refusal;     // or the method itself is, once the header section is read
  Version version = Version::http_1_1;
  Slice path;
  std::string_view implied_path;  // "/" or "*" (a literal) where the absolute form has no path
  Slice query;
  Slice authority;  // empty unless the target was in absolute form
  std::vector<Field> fields;

  // Filled by check_head().
  BodyKind body = BodyKind::none;
  std::size_t content_length = 0;
  Persistence persistence = Persistence::keep_alive;
  bool expects_continue = false;

  void clear();
};

// A field line without its CR LF, not empty; also used for trailers.
struct FieldLine {
  std::string_view name;
  std::string_view value;
};
Checked parse_field_line(std::string_view line, FieldLine& out);

// `base` is the first byte of the request, into which `line` points.
Checked parse_request_line(const char* base, std::string_view line, Head& head);
// All lines are in: fills the rest of `head`.
Checked check_head(const char* base, const Limits& limits, Head& head);

}  // namespace um::http
