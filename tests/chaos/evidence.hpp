// Evidence: what clients saw of some registers while faults happened, and the judgement about it.
//
// A register is a cache key with versions that only grow (support/history.hpp). A fault that throws
// away commits, such as a failover to a standby that lags, begins a new history: assumption A5 of
// docs/consistency.md does not hold for what was lost. Of a lasting register the version that
// survived is known, and no read that begins more than T after the loss may return a lost one. The
// clients give up their other registers.
//
// Thread safety: none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/history.hpp"

namespace um::e2e {

struct Seen {
  test::Operation operation{};
  bool hit = false;  // a read that memory answered
};

// An answer that is of use to a client: a value, or a refusal that follows from one.
struct Answer {
  BootTime at{};
  std::size_t instance = 0;
  test::Operation::Kind kind = test::Operation::Kind::read;
};

struct Span {
  BootTime from = BootTime::min();
  BootTime to = BootTime::max();
};

// Commits between `from` and `to` were thrown away.
struct Loss {
  BootTime from{};
  BootTime to{};
  // either: a write that was acknowledged between the two may have been kept.
  enum class Within : std::uint8_t { lost, either } within = Within::lost;
  std::map<std::string, std::int64_t> survived{};  // of the lasting registers
};

// Of reads or writes.
struct Silence {
  std::chrono::nanoseconds anywhere{};    // at the instance that was silent for longest
  std::chrono::nanoseconds everywhere{};  // at all instances at the same time
};

class Evidence {
 public:
  explicit Evidence(std::map<std::string, std::int64_t> lasting = {})
      : lasting_{std::move(lasting)} {}

  void add(Seen seen) { seen_[seen.operation.key].push_back(std::move(seen)); }
  void add(Answer answer) { answers_.push_back(answer); }
  // In the order of time.
  void add(Loss loss) {
    disregard_passing({.from = loss.from, .to = loss.to});
    losses_.push_back(std::move(loss));
  }
  // Registers that do not last are not judged by what was read of them from then on, up to T later.
  void disregard_passing(Span span) { disregarded_.push_back(span); }

  // One sentence for each broken promise.
  std::vector<std::string> violations() const;
  // Reads that memory answered while a write of the same register was under way.
  std::size_t hits_during_writes() const;
  std::size_t count(test::Operation::Kind kind) const;
  std::size_t hits() const;
  // The longest time without an answer that overlaps the span.
  Silence silence(test::Operation::Kind kind, std::size_t instances, Span span) const;

 private:
  using Register = std::vector<Seen>;
  void judge_lasting(const std::string& key, const Register& seen,
                     std::vector<std::string>& violations) const;
  void judge_passing(const Register& seen, std::vector<std::string>& violations) const;

  std::map<std::string, std::int64_t> lasting_;  // with the version at the beginning
  std::map<std::string, Register> seen_;
  std::vector<Answer> answers_;
  std::vector<Loss> losses_;
  std::vector<Span> disregarded_;
};

}  // namespace um::e2e
