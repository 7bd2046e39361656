// LostCommit: how the end of a strict write is found out after its connection was lost during B
// (docs/consistency.md, section 6, "Unknown outcomes"). A state machine without I/O: the database
// adapter asks the questions, the simulation asks a simulated database.
//
// With a hold the question is settled by removing it: B cannot commit without it. Else the server
// knows how the transaction ended, or the end of its process tells that it has.
//
// Thread safety: none; it belongs to the coroutine that writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "storage/snapshot.hpp"

namespace um {

// The end of a transaction after its connection was lost. The server knows how every transaction
// ended. An id means the same transaction only within one namespace: after a crash, or on another
// server, the id may be assigned again.
enum class TransactionFate : std::uint8_t {
  running,  // its server process has not noticed the loss yet; or the server cannot be asked
  committed,
  not_committed,
  unknown  // for good
};

class LostCommit {
 public:
  struct Known {
    std::size_t held_keys = 0;  // rows of the hold; 0: the write was alone, or bounded
    std::optional<Xid> xid{};   // of B, if the gate answered before the loss
    bool server_process = false;
  };
  explicit LostCommit(Known known) : known_{known} {}

  // The next question: to be called again and again, until it is `nothing` or no time is left.
  enum class Ask { withdraw_hold, fate, server_process, pause, nothing };
  Ask next();

  // Answers. A question without an answer is asked again in the next round.
  void withdrawn(std::size_t rows);
  void fate_is(TransactionFate fate) { fate_ = fate; }
  void server_process_has_ended() { has_ended_ = true; }

  enum class End {
    committed,      // surely
    not_committed,  // surely
    ended,          // surely, nobody knows how
    unknown,        // perhaps committed, under the known id
    running         // perhaps, under an id that is not known
  };
  End end() const;
  // The hold is settled: no row of it is left for anybody to remove.
  bool hold_is_gone() const { return withdrawn_; }

 private:
  bool has_hold() const { return known_.held_keys > 0 && !withdrawn_; }

  enum class Round { begins, asks_for_the_end, ends };

  const Known known_;
  Round round_ = Round::begins;
  TransactionFate fate_ = TransactionFate::running;
  bool has_ended_ = false;
  bool withdrawn_ = false;
};

}  // namespace um
