// RedisL2Store: the L2Store in Redis. Each fact has one key, which is written with an expiry.
//
// Whatever Redis does, a wrong fact is rejected (fact_seal.hpp) and no call takes longer than the
// client's timeout. A fact that is not found, not readable or not reachable is a miss, and counted.
//
// Thread safety: any thread. `client` and `clock` outlive the store.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>

#include "base/clock.hpp"
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
  std::chrono::milliseconds longest_wait{50};
};

class RedisL2Store final : public L2Store {
 public:
  // Throws std::invalid_argument if the key is too short or a time is not positive.
  RedisL2Store(RedisL2Options options, redis::Client& client, const Clock& clock);
  ~RedisL2Store() override;

  Task<std::optional<Fact>> get(std::string key, Deadline deadline) override;
  void put(std::string key, Fact fact) override;
  Task<std::optional<Fact>> wait_for_other(std::string key, std::optional<Stamp> found,
                                           Deadline deadline) override;
  Task<bool> forget(std::string key, Deadline deadline) override;

  struct Stats {
    std::uint64_t gets = 0;  // the sum of the following
    std::uint64_t facts = 0;
    std::uint64_t absent = 0;
    std::uint64_t unreachable = 0;                      // redis::Stats says why
    std::array<std::uint64_t, kEntryFaults> refused{};  // by EntryFault

    std::uint64_t puts = 0;      // sent in the background; redis::Stats counts the outcomes
    std::uint64_t not_put = 0;   // without a namespace, or too large
    std::uint64_t hints = 0;     // this instance announced that it asks the primary
    std::uint64_t waits = 0;     // another instance had announced it
    std::uint64_t received = 0;  // waits that ended with a fact
  };
  Stats stats() const;

 private:
  struct Counters {
    std::atomic<std::uint64_t> gets{0};
    std::atomic<std::uint64_t> facts{0};
    std::atomic<std::uint64_t> absent{0};
    std::atomic<std::uint64_t> unreachable{0};
    std::array<std::atomic<std::uint64_t>, kEntryFaults> refused{};
    std::atomic<std::uint64_t> puts{0};
    std::atomic<std::uint64_t> not_put{0};
    std::atomic<std::uint64_t> hints{0};
    std::atomic<std::uint64_t> waits{0};
    std::atomic<std::uint64_t> received{0};
  };
  class Hints;

  enum class Load { mine, other, unknown };
  Task<Load> set_hint(const std::string& name, Deadline deadline);
  Task<std::optional<Fact>> watch(const std::string& key, std::optional<Stamp> found,
                                  Deadline deadline);
  std::optional<Fact> read(std::string_view key, const redis::Reply& reply);
  std::chrono::milliseconds jittered_ttl() const;

  const RedisL2Options options_;
  const FactSeal seal_;
  redis::Client& client_;
  const Clock& clock_;
  const std::unique_ptr<Hints> hints_;
  Counters counters_;
};

}  // namespace um
