// How a call can end without an answer.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "drivers/redis/reply.hpp"

namespace um::redis {

struct Failure {
  enum class Kind : std::uint8_t {
    unavailable,  // no connection, and no sense in waiting for one; nothing was sent
    overloaded,   // too many calls under way; nothing was sent
    timeout,      // no answer in time; the command may have been executed
    cancelled,    // the caller gave up; the command may have been executed
    lost,         // the connection ended; the command may have been executed
    refused,      // the server answered with an error
  };
  Kind kind = Kind::unavailable;
  ErrorClass error = ErrorClass::other;  // of `refused`
  std::string message{};                 // for people; printable
};

template <class T>
using Outcome = std::expected<T, Failure>;

// Why a connection ended, or never came to be.
enum class Breakage : std::uint8_t {
  none,
  resolve,    // the name is unknown
  connect,    // nobody listens, or no route
  tls,        // no TLS there, or a certificate that is not to be trusted
  timeout,    // connecting or an answer took too long
  closed,     // the other side closed it
  protocol,   // what came is no RESP, is too large, or answers nothing that was asked
  refused,    // the server does not let us in
  not_ready,  // it is loading or cannot reach its master
  cancelled,  // a caller gave up a command that had been sent
  stopped,    // the client was stopped
};
inline constexpr std::size_t kBreakages = 11;
std::string_view to_string(Breakage breakage);

}  // namespace um::redis
