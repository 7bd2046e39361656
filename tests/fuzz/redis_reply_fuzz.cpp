// Any bytes from a server: reading must not crash or grow, pieces give the same replies as the
// whole, and no reply goes to a command that was not sent.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "drivers/redis/pipeline.hpp"

namespace {

using namespace um::redis;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(const Reply& a, const Reply& b) {
  return a.kind == b.kind && a.text == b.text && a.integer == b.integer &&
         std::ranges::equal(a.elements, b.elements, same);
}

void pieces_are_the_whole(std::string_view bytes, std::size_t piece) {
  ReplyReader whole_reader;
  const auto whole = whole_reader.read(bytes);
  ReplyReader reader;
  std::vector<Reply> all;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    auto some = reader.read(bytes.substr(at, piece));
    if (!some) return require(!whole);
    for (Reply& reply : *some) all.push_back(std::move(reply));
  }
  if (whole) require(std::ranges::equal(*whole, all, same));
}

void answers_belong_to_questions(std::string_view bytes, std::size_t piece) {
  constexpr std::size_t kQuestions = 3;
  Pipeline pipeline{{}, greeting_for({.host = "h"}, "fuzzer")};
  for (std::size_t i = 0; i < kQuestions; ++i) pipeline.add(Command{"GET", "a"});
  Pipeline::Ticket last = 0;
  std::size_t answers = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    pipeline.take_output();
    for (const auto& answer : pipeline.receive(bytes.substr(at, piece))) {
      require(answer.ticket > last && ++answers <= kQuestions);
      last = answer.ticket;
    }
  }
  require((pipeline.phase() == Pipeline::Phase::broken) == (pipeline.breakage() != Breakage::none));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 16;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  pieces_are_the_whole(bytes, piece);
  answers_belong_to_questions(bytes, piece);
  printable(bytes);
  return 0;
}
