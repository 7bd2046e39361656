#include "storage/postgres/lost_commit.hpp"

#include <utility>

namespace um {

LostCommit::Ask LostCommit::next() {
  if (fate_ != TransactionFate::running) return Ask::nothing;
  switch (std::exchange(round_, Round::asks_for_the_end)) {
    case Round::begins:
      if (has_hold()) return Ask::withdraw_hold;
      return next();
    case Round::asks_for_the_end:
      round_ = Round::ends;
      if (known_.xid) return Ask::fate;
      if (!has_ended_ && known_.server_process) return Ask::server_process;
      return next();
    case Round::ends:
      round_ = Round::begins;
      return has_ended_ && !has_hold() && !known_.xid ? Ask::nothing : Ask::pause;
  }
  return Ask::nothing;
}

void LostCommit::withdrawn(std::size_t rows) {
  withdrawn_ = has_ended_ = true;
  if (rows == known_.held_keys) fate_ = TransactionFate::not_committed;
}

LostCommit::End LostCommit::end() const {
  if (fate_ == TransactionFate::committed) return End::committed;
  if (fate_ == TransactionFate::not_committed) return End::not_committed;
  if (has_ended_) return End::ended;
  return known_.xid ? End::unknown : End::running;
}

}  // namespace um
