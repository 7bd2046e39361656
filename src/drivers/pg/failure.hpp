// Failure: the reason why a statement or a transaction has no answer. The kinds differ in the
// knowledge about its effects. Classified by SQLSTATE (PostgreSQL documentation, appendix A), never
// by message text.
//
// Thread safety: a value.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace um::pg {

struct Failure {
  enum Kind {
    refused,          // the server reported an error: `sqlstate`. Nothing was changed.
    lost,             // the connection was lost or cannot be opened. Nothing was committed.
    unknown_outcome,  // COMMIT (or a single write) was sent, and no answer arrived
    not_replicated,   // committed, but no synchronous standby confirmed it: a failover may undo it
    timeout,          // the deadline, or the server's statement_timeout. Nothing was committed.
    overloaded,       // too many calls wait already; nothing was sent
    elsewhere,        // no connection has the session note that a batch requires; nothing was sent
  };
  Kind kind = refused;
  std::string sqlstate{};    // five characters, from the server
  std::string constraint{};  // the name of the constraint that was violated, if any
  std::string message{};     // one line for the log. The server's primary message: it may quote a
                             // value, so it is never shown to a client of the service.

  bool operator==(const Failure&) const = default;
};

template <class T>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> failed(Failure failure) {
  return std::unexpected(std::move(failure));
}

// The kind of an error that the server reported with this SQLSTATE. 57014 (statement_timeout) is a
// timeout; 57P01–57P05, 53300, 25P03, 08… but 08P01 are lost; everything else is refused.
Failure::Kind classify(std::string_view sqlstate);

// Serialization failure and deadlock: the transaction may succeed when it is run again.
bool worth_repeating(const Failure& failure);

std::string_view to_string(Failure::Kind kind);

// lost and elsewhere → unavailable and overloaded → overloaded, with retry_after; unknown_outcome
// and timeout → the same; not_replicated → unknown_outcome; refused → unavailable for 25006
// (read-only server), 53… (out of resources), 55P03 and failures that are worth_repeating; internal
// otherwise: adapters check constraint and SQLSTATE first. The detail names the SQLSTATE, never the
// message.
Error to_error(const Failure& failure);

}  // namespace um::pg
