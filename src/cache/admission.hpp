// Admission: may a value that was read in snapshot S_e be remembered now?
//
// A value comes from one statement on the primary, together with the snapshot of that statement. It
// is a fact ("under k stood v, in S_e") and stays true for ever; the question is whether it is
// still the newest. What is known about newer changes is the shard's base B and its log, so
//
//   admissible(k, S_e)  =  same τ, and k not held, and covers(S_e, B),
//                          and S_e sees every xid in log[k]
//
// It must be asked in the same critical section that inserts, and for every insertion. Otherwise:
// a reader asks the database, sleeps; a write commits and its invalidation removes k; the reader
// wakes up and puts the old value back, where nothing will remove it again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cache/change_log.hpp"
#include "storage/snapshot.hpp"

namespace um {

enum class Admission : std::uint8_t {
  admitted,
  other_namespace,  // read in another τ, or before the first poll
  held,             // somebody is about to change the key
  not_covered,      // read in a snapshot older than B
  changed,          // a change of the key is known that S_e does not see
};
inline constexpr std::size_t kAdmissions = 5;

struct KeyState {
  std::string_view key;
  bool held;
};

inline Admission admissible(KeyState k, const Stamp& read_in, const std::optional<Tau>& tau,
                            const ChangeLog& log) {
  if (!tau || read_in.tau != *tau) return Admission::other_namespace;
  if (k.held) return Admission::held;
  if (!covers(read_in.snapshot, log.base())) return Admission::not_covered;
  if (!log.seen_by(k.key, read_in.snapshot)) return Admission::changed;
  return Admission::admitted;
}

}  // namespace um
