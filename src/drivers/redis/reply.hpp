// Reply: the answer of a server to one command (RESP2,
// https://redis.io/docs/reference/protocol-spec). Failure: why a command has no reply that helps.
// Breakage: why a connection ended.
//
// Thread safety: values and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
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

// The meaning of an error reply, by its first word. The rest of the text is for people and differs
// by version.
enum class ErrorClass : std::uint8_t {
  no_script,       // NOSCRIPT: an ordinary answer to EVALSHA
  out_of_memory,   // OOM: the server is full; it still answers reads
  read_only,       // READONLY, MISCONF, NOREPLICAS: takes no writes now
  not_ready,       // LOADING, MASTERDOWN, BUSY, CLUSTERDOWN, TRYAGAIN: answers nothing useful now
  not_authorized,  // NOAUTH, WRONGPASS, NOPERM
  other,
};
inline constexpr std::size_t kErrorClasses = 6;
// Of the metric of calls, by ErrorClass.
inline constexpr std::array<std::string_view, kErrorClasses> kErrorResults{
    "error_no_script", "error_out_of_memory",  "error_read_only",
    "error_not_ready", "error_not_authorized", "error_other"};
ErrorClass classify_error(std::string_view text);
std::string_view to_string(ErrorClass error);

// The text cut to a length that suits a log, with '?' for everything that is not printable ASCII.
std::string printable(std::string_view text);

struct Failure {
  enum class Kind : std::uint8_t {
    unavailable,  // no connection, and none is expected soon; nothing was sent
    overloaded,   // too many calls are under way; nothing was sent
    timeout,      // no reply in time; the command may have been executed
    cancelled,    // the caller was cancelled; the command may have been executed
    lost,         // the connection ended; the command may have been executed
    refused,      // the server replied with an error
  };
  Kind kind = Kind::unavailable;
  ErrorClass error = ErrorClass::other;  // of `refused`
  std::string message{};                 // for people; printable
};

template <class T>
using Outcome = std::expected<T, Failure>;

// Why a connection ended, or could not be made.
enum class Breakage : std::uint8_t {
  none,
  resolve,    // the name is unknown
  connect,    // no server listens there, or there is no route
  tls,        // the server does not speak TLS, or its certificate is not trusted
  timeout,    // connecting or a reply took too long
  closed,     // the server closed it
  protocol,   // a reply is no RESP, is too large, or belongs to no command
  refused,    // the server did not accept AUTH, SELECT or PING
  not_ready,  // the server is loading, or cannot reach its master
  cancelled,  // the caller of a command that had been sent was cancelled
  stopped,    // the client was stopped
};
inline constexpr std::size_t kBreakages = 11;
// By Breakage; the first is no breakage.
inline constexpr std::array<std::string_view, kBreakages> kBreakageNames{
    "",         "resolve", "connect",   "tls",       "timeout", "closed",
    "protocol", "refused", "not_ready", "cancelled", "stopped"};
std::string_view to_string(Breakage breakage);

}  // namespace um::redis
