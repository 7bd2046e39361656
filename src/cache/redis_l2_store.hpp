// RedisL2Store: the L2Store in Redis. Each fact has one key, which is written with an expiry.
//
// Whatever Redis does, a wrong fact is rejected (fact_seal.hpp) and no call takes longer than the
// client's timeout. A fact that is not found, not readable or not reachable is a miss, and counted.
//
// Thread safety: any thread. `client` and `clock` outlive the store.
#pragma once

#include <array>
#include <chrono>
#include <memory>

#include "base/clock.hpp"
#include "base/counters.hpp"
#include "cache/fact_seal.hpp"
#include "cache/l2_store.hpp"

namespace um::redis {
class Client;
struct Reply;
}  // namespace um::redis

namespace um {

struct RedisL2Options {
  Secret deployment_key{};  // the same for all instances; at least FactSeal::kMinKeyBytes
  // Of an entry, plus or minus up to a tenth at random, so that entries do not expire all at once.
  std::chrono::milliseconds ttl = std::chrono::minutes{5};
  // How long the hint is valid that announces a query of the primary, and how long other instances
  // wait for its result.
  std::chrono::milliseconds hint_ttl{100};
  std::chrono::milliseconds hint_wait{50};
};

template <class Number>
struct RedisL2Numbers {
  Number gets{};  // the sum of the following
  Number facts{};
  Number absent{};
  Number unreachable{};                        // redis::Stats says why
  std::array<Number, kEntryFaults> refused{};  // by EntryFault

  Number puts{};      // sent in the background; redis::Stats counts the outcomes
  Number not_put{};   // without a namespace, or too large
  Number hints{};     // this instance announced that it asks the primary
  Number waits{};     // another instance had announced it
  Number received{};  // waits that ended with a fact

  static constexpr auto table() {
    using N = RedisL2Numbers;
    constexpr MetricText kReads{"l2_reads_total", "Look-ups of facts in Redis, by result"};
    constexpr MetricText kTurns{
        "l2_turns_total",
        "Keys missing in Redis: read by this instance, waited for, received from another"};
    return std::tuple{count_of(&N::gets),
                      count_of(&N::facts, kReads, {"result", "fact"}),
                      count_of(&N::absent, kReads, {"result", "absent"}),
                      count_of(&N::unreachable, kReads, {"result", "unreachable"}),
                      counts_of(&N::refused, kReads, "result", kEntryFaultNames),
                      count_of(&N::puts, {"l2_writes_total", "Facts sent to Redis"}),
                      count_of(&N::not_put),
                      count_of(&N::hints, kTurns, {"result", "asked"}),
                      count_of(&N::waits, kTurns, {"result", "waited"}),
                      count_of(&N::received, kTurns, {"result", "received"})};
  }
};

class RedisL2Store final : public L2Store {
 public:
  // Throws std::invalid_argument if the key is too short or a time is not positive.
  RedisL2Store(RedisL2Options options, redis::Client& client, const Clock& clock);
  ~RedisL2Store() override;

  Task<std::optional<Fact>> get(std::string key, Deadline deadline) override;
  void put(std::string key, Fact fact) override;
  Task<std::optional<Fact>> wait_for_other(std::string key, Deadline deadline) override;
  Task<bool> forget(std::string key, Deadline deadline) override;

  using Stats = RedisL2Numbers<std::uint64_t>;
  Stats stats() const { return read_counters(counters_); }

 private:
  class Hints;

  enum class Load { mine, other, unknown };
  Task<Load> set_hint(const std::string& name, Deadline deadline);
  Task<std::optional<Fact>> watch(const std::string& key, Deadline deadline);
  std::optional<Fact> read(std::string_view key, const redis::Reply& reply);
  std::chrono::milliseconds jittered_ttl() const;

  const RedisL2Options options_;
  const FactSeal seal_;
  redis::Client& client_;
  const Clock& clock_;
  const std::unique_ptr<Hints> hints_;
  RedisL2Numbers<Counter> counters_;
};

}  // namespace um
