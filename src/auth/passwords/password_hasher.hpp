// PasswordHasher: bcrypt on a bounded pool of its own threads, never on an event loop.
//
// One check at cost 10 takes about 50 ms of a core. When the queue is full the answer is
// `overloaded` with Retry-After; a cancelled caller leaves the queue.
//
// Thread safety: any thread; a caller runs on an executor that runs one handler at a time (an event
// loop or a strand).
#pragma once

#include <memory>
#include <optional>

#include "async/task.hpp"
#include "async/work_pool.hpp"
#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace um {

struct PasswordHasherOptions {
  int cost = 10;  // bcrypt's, 4 to 14
  std::size_t threads = 2;
  std::size_t queue = 200;  // waiting calls
};

template <class Number>
struct PasswordHasherNumbers {
  Number queued{};
  Number hashed{};
  Number verified{};
  Number refused{};    // queue full
  Number cancelled{};  // left the queue: cancelled, or the deadline passed
  Number rounds{};     // of bcrypt, 2^cost each, that checks have taken

  static constexpr auto table() {
    using N = PasswordHasherNumbers;
    constexpr MetricText kHashes{"password_hashes_total", "bcrypt computations"};
    return std::tuple{level_of(&N::queued, kQueueLength, {"queue", "password_hashing"}),
                      count_of(&N::hashed, kHashes, {"use", "set"}),
                      count_of(&N::verified, kHashes, {"use", "check"}),
                      count_of(&N::refused, kQueueRefusals, {"queue", "password_hashing"}),
                      count_of(&N::cancelled),
                      count_of(&N::rounds)};
  }
};
using PasswordHasherStats = PasswordHasherNumbers<std::uint64_t>;

class PasswordHasher {
 public:
  // Throws std::invalid_argument if an option is out of range. The second form measures deadlines
  // with another clock than the system's; it outlives the hasher.
  explicit PasswordHasher(PasswordHasherOptions options);
  PasswordHasher(PasswordHasherOptions options, const Clock& clock);
  // Calls still waiting are answered `unavailable`; joins the threads.
  ~PasswordHasher();
  PasswordHasher(const PasswordHasher&) = delete;
  PasswordHasher& operator=(const PasswordHasher&) = delete;

  // "$2b$…". Precondition: 1 to 72 bytes without NUL (else invalid). overloaded, timeout.
  Task<Result<Secret>> hash(Secret password, Deadline deadline);
  // Whether the password is right. False also for a stored hash that is broken or costs more than
  // kMaxCost. No stored hash (an unknown user), a broken one, and a wrong password for a hash that
  // is cheaper than new ones take as long as a check at the cost of new hashes. A hash that is more
  // expensive takes longer, which can be measured. Passwords of any length; bcrypt reads 72 bytes.
  // overloaded, timeout.
  static constexpr int kMaxCost = 14;
  Task<Result<bool>> verify(Secret password, std::optional<Secret> stored_hash, Deadline deadline);
  // Whether `hash` was made with another cost, or an older prefix, than a new one would be.
  bool needs_rehash(const Secret& hash) const;
  PasswordHasherStats stats() const;

 private:
  using Counters = PasswordHasherNumbers<Counter>;
  struct Costs {
    int from;
    int to;
  };
  static void make_up(const Secret& password, Costs costs, Counters& counters);

  const PasswordHasherOptions options_;
  const Secret unmatchable_;  // a hash that no password matches
  const std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();
  WorkPool pool_;
};

// Whether verify() can check this crypt(3) form: $2a$, $2b$ and $2y$ with a cost up to kMaxCost.
bool is_supported_hash(std::string_view hash);

}  // namespace um
