// Admission: may a value that was read in snapshot S_e be stored in L1 now?
//
// A value comes from one statement on the primary, together with the snapshot of that statement. It
// is a fact ("under k stood v, in S_e") and stays true for ever; the question is whether it is
// still the newest. A shard's base B and its log contain all that is known about newer changes, so
//
//   admissible(k, S_e)  =  same τ, and k not held, and covers(S_e, B),
//                          and S_e sees every xid in log[k]
//
// It must be asked in the same critical section that inserts, and for every insertion. Otherwise:
// a reader asks the database and is delayed; a write commits and its invalidation removes k; the
// reader then inserts the old value, and nothing will remove it again.
//
// Thread safety: none; guarded by the shard's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/key_hash.hpp"
#include "storage/snapshot.hpp"

namespace um {

// ChangeLog: which transactions changed which key, unless a base snapshot B already sees them. A
// value is admissible only if its snapshot sees both B and the log.
//
// Invariant: every change known so far is visible in base() or is in the log.
// Moving the base forward keeps the invariant and shortens the log, but values with a snapshot
// older than the new base are refused from then on. That is how the log stays bounded.
class ChangeLog {
 public:
  const Snapshot& base() const { return base_; }
  // Number of (key, transaction) pairs.
  std::size_t size() const { return size_; }

  // False if the pair was in the log before. A change that the base sees is not stored, and the
  // result is true (see fold_into_base()).
  bool add(std::string_view key, Xid xid);
  // Whether every logged change of the key is visible in `snapshot`.
  bool seen_by(std::string_view key, const Snapshot& snapshot) const;

  // The base becomes the union of both snapshots, so it never goes back. The log keeps the
  // transactions that the new base does not see.
  void move_base(const Snapshot& snapshot);
  // The last resort when the log is full between two polls: the base takes in everything logged.
  void fold_into_base();
  // Forgets everything: in another namespace the same numbers mean other transactions.
  void start_over(const Snapshot& base);

 private:
  using Xids = std::vector<Xid>;  // ascending, no duplicates, never empty

  Snapshot base_;
  std::unordered_map<std::string, Xids, StringHash, std::equal_to<>> xids_by_key_;
  std::size_t size_ = 0;
};

// The smallest snapshot that sees every transaction that `a` or `b` sees.
Snapshot union_of(const Snapshot& a, const Snapshot& b);

enum class Admission : std::uint8_t {
  admitted,
  other_namespace,  // read in another τ, or before the first poll
  held,             // a write to the key is under way
  not_covered,      // read in a snapshot older than B
  changed,          // a change of the key is known that S_e does not see
};
inline constexpr std::size_t kAdmissions = 5;
// By Admission; the first is no refusal.
inline constexpr std::array<std::string_view, kAdmissions> kRefusalNames{
    "", "other_namespace", "held", "not_covered", "changed"};

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
