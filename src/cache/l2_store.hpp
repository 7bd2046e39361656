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
#include "base/task.hpp"
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
};

}  // namespace um
