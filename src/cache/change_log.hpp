// ChangeLog: which transactions changed which key, as far as a base snapshot B does not see them
// already. Together, B and the log say everything that is known about changes: an old value may be
// remembered only if its snapshot sees both.
//
// Invariant: every change known so far is visible in base() or is in the log.
// Moving the base forward keeps it and shortens the log, at the price of refusing values whose
// snapshot is older than the new base. That is how the log stays bounded.
//
// Thread safety: none; guarded by the shard's lock.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/key_hash.hpp"
#include "storage/snapshot.hpp"

namespace um {

class ChangeLog {
 public:
  const Snapshot& base() const { return base_; }
  // Number of (key, transaction) pairs.
  std::size_t size() const { return size_; }

  // False if exactly this was in the log before. (What the base sees is not: see fold_into_base().)
  bool add(std::string_view key, Xid xid);
  // Every logged change of the key is visible in `snapshot`.
  bool seen_by(std::string_view key, const Snapshot& snapshot) const;

  // Base becomes what either sees, so it never goes back; the log keeps what that does not see.
  void move_base(const Snapshot& snapshot);
  // The last resort when the log is full between two polls: the base takes in everything logged.
  void fold_into_base();
  // Forgets all, for another namespace, where the same numbers mean other transactions.
  void start_over(const Snapshot& base);

 private:
  using Xids = std::vector<Xid>;  // ascending, no duplicates, never empty

  Snapshot base_;
  std::unordered_map<std::string, Xids, StringHash, std::equal_to<>> xids_by_key_;
  std::size_t size_ = 0;
};

// The smallest snapshot that sees what `a` sees and what `b` sees.
Snapshot union_of(const Snapshot& a, const Snapshot& b);

}  // namespace um
