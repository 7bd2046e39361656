// Transaction: what a write job sees of the transaction it shares with its neighbours.
//
// Thread safety: the writer's thread only, and not after the job returned.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "drivers/sqlite/connection.hpp"

namespace um::sqlite {

class Transaction {
 public:
  Transaction(Connection& db, std::function<void()> pulse) : db_{db}, pulse_{std::move(pulse)} {}

  Connection& db() { return db_; }

  // Names something that this job changes; the observer is told about it if the job is kept.
  void touch(std::string key) { touched_.push_back(std::move(key)); }

  // To be called now and then by a job that takes longer than some milliseconds.
  void pulse() { pulse_(); }

  // Undo the job's changes although it succeeds (a rehearsal).
  void discard() { discard_ = true; }

 private:
  friend class Writer;

  Connection& db_;
  std::function<void()> pulse_;
  std::vector<std::string> touched_;
  bool discard_ = false;
};

}  // namespace um::sqlite
