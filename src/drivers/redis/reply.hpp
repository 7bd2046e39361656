// Reply: what a server answers to one command (RESP2,
// https://redis.io/docs/reference/protocol-spec), as a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace um::redis {

struct Reply {
  enum class Kind : std::uint8_t { nil, status, error, integer, text, array };

  Kind kind = Kind::nil;
  std::string text{};  // of a status, an error or a text; any bytes
  std::int64_t integer = 0;
  std::vector<Reply> elements{};

  bool is_nil() const { return kind == Kind::nil; }
  bool is_text() const { return kind == Kind::text; }
};

// What an error reply says, by its first word. Its text is for people and differs by version.
enum class ErrorClass : std::uint8_t {
  no_script,       // NOSCRIPT: an ordinary answer to EVALSHA
  out_of_memory,   // OOM: the server is full; it still answers reads
  read_only,       // READONLY, MISCONF, NOREPLICAS: takes no writes now
  not_ready,       // LOADING, MASTERDOWN, BUSY, CLUSTERDOWN, TRYAGAIN: answers nothing useful now
  not_authorized,  // NOAUTH, WRONGPASS, NOPERM
  other,
};
inline constexpr std::size_t kErrorClasses = 6;
ErrorClass classify_error(std::string_view text);
std::string_view to_string(ErrorClass error);

// The text with everything that is not printable ASCII replaced, and cut: what a server says may
// end up in a log.
std::string printable(std::string_view text);

}  // namespace um::redis
