// L2Store: a memory that several instances share (Redis), holding facts.
//
// A fact is "under this key stood this value, in snapshot S_e of namespace τ"; it never becomes
// wrong. Whether it is still the newest is decided by Coherence::admit() when it is read, so this
// store may lose, delay, reorder or roll back what it was given, without harm. What it returns was
// checked to have been written by an instance of this deployment (a MAC over key, stamp, schema
// version and value).
//
// Its place in a read is between memory and the primary, see read_through.hpp.
//
// Thread safety: any thread. A call takes at most its deadline, which is short: the primary is the
// alternative. A failure is not an error but a miss.
#pragma once

#include <optional>
#include <string>

#include "base/deadline.hpp"
#include "async/task.hpp"
#include "cache/l1_value.hpp"
#include "storage/snapshot.hpp"

namespace um {

struct Fact {
  L1Value value;
  Stamp read_in;
};

class L2Store {
 public:
  virtual ~L2Store() = default;
  // nullopt: not known, unreadable, of another namespace, or too late.
  virtual Task<std::optional<Fact>> get(std::string key, Deadline deadline) = 0;
  // Remembers the fact for a limited time, in the background; bounded, the newest may be dropped.
  virtual void put(std::string key, Fact fact) = 0;

  // When a key turns cold that is asked for everywhere, each instance would ask the primary for it
  // at the same moment. So an instance that found nothing admissible with get() calls this before
  // it asks the primary. It says to the others that this one is about to ask, or learns that
  // another one has just said so, and then waits a little for what that one puts.
  //
  // A fact: somebody has put it since; it is not the one with the stamp `found` (what get() gave,
  // if it gave something). It is offered to admit() like any other. nullopt: ask the primary, and
  // put() what it says; that is what the others are waiting for. Only a hint: whatever goes wrong,
  // the answer is nullopt, soon.
  virtual Task<std::optional<Fact>> wait_for_other(std::string /*key*/,
                                                   std::optional<Stamp> /*found*/,
                                                   Deadline /*deadline*/) {
    co_return std::nullopt;
  }

  // Drops what is remembered under the key; true if that is certain. Not needed for freshness.
  virtual Task<bool> forget(std::string /*key*/, Deadline /*deadline*/) { co_return false; }
};

}  // namespace um
