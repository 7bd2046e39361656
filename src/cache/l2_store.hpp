// L2Store: a store of facts that the instances of a deployment share (Redis).
//
// A fact is "under this key stood this value, in snapshot S_e of namespace τ"; it never becomes
// wrong. Coherence::admit() decides when it is read whether it is still the newest. So this store
// may lose, delay, reorder or roll back facts without harm. A fact that it returns was written by
// an instance of this deployment, which is checked by a MAC over key, stamp, schema version and
// value.
//
// A read asks it after L1 and before the primary (read_through.hpp).
//
// Thread safety: any thread. A call takes at most its deadline, which is short, because the primary
// can be asked instead. A failure is not an error but a miss.
#pragma once

#include <optional>
#include <string>

#include "async/task.hpp"
#include "base/deadline.hpp"
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
  // nullopt: not stored, unreadable, of another namespace, or too late.
  virtual Task<std::optional<Fact>> get(std::string key, Deadline deadline) = 0;
  // Stores the fact for a limited time, in the background. The queue is bounded: when it is full,
  // new facts are dropped.
  virtual void put(std::string key, Fact fact) = 0;

  // When a key that all instances use becomes cold, each of them would ask the primary at the same
  // moment. So an instance whose get() found nothing calls this before it asks the primary. The
  // call announces that this instance is about to ask. If another instance has just announced the
  // same, the call waits a little for the fact which that instance will put().
  //
  // Returns a fact that was stored meanwhile. It is offered to admit() like any other. nullopt: ask
  // the primary, and put() the result, for which other instances wait. This is a hint only: on any
  // failure the result is nullopt, soon.
  virtual Task<std::optional<Fact>> wait_for_other(std::string /*key*/, Deadline /*deadline*/) {
    co_return std::nullopt;
  }

  // Deletes the key's fact; true if that is certain. Not needed for freshness.
  virtual Task<bool> forget(std::string /*key*/, Deadline /*deadline*/) { co_return false; }
};

}  // namespace um
