// What a hit costs, on one thread and on two that share the store.
//
// LookUp: lease, hash, lock, table, a reference on the shared record. FindNow: the same through
// CachedUserStore, as a request handler asks. Hot: all threads read one key, the worst case for its
// lock and its reference count. Wide: 100,000 users, mostly out of the processor's caches.
#include <memory>

#include <benchmark/benchmark.h>

#include "cache/cached_user_store.hpp"
#include "user/user.hpp"

namespace um {
namespace {

constexpr std::int64_t kUsers = 100'000;

// Nothing here ever misses.
class NoStore : public UserStore {
 public:
  Task<Result<UserReading>> find(UserId, ReadOptions) override { std::abort(); }
  Task<Result<UserReading>> find(Email, ReadOptions) override { std::abort(); }
  Task<Result<std::vector<UserRef>>> list(Page, Deadline) override { std::abort(); }
  Task<Result<std::vector<UserRef>>> search(std::string, Page, Deadline) override { std::abort(); }
  Task<Result<std::int64_t>> count(std::string, Deadline) override { std::abort(); }
  Task<Result<bool>> has_admin(Deadline) override { std::abort(); }
  Task<Result<UserRef>> insert(NewUser, Deadline) override { std::abort(); }
  Task<Result<std::vector<Result<UserId>>>> insert_many(InsertMany, Deadline) override {
    std::abort();
  }
  Task<Result<UserRef>> update(UpdateUser, Deadline) override { std::abort(); }
  Task<Result<void>> remove(RemoveUser, Deadline) override { std::abort(); }
  Task<Result<UsageTotals>> add_usage(UsageRecord, Deadline) override { std::abort(); }
  Task<Result<std::optional<Credentials>>> credentials(Email, Deadline) override { std::abort(); }
  Task<Result<std::optional<Credentials>>> credentials(UserId, Deadline) override { std::abort(); }
  Task<Result<void>> rehash(Rehash, Deadline) override { std::abort(); }
  Task<Result<void>> end_sessions(UserId, Deadline) override { std::abort(); }
  Task<Result<void>> invalidate(UserId, Deadline) override { std::abort(); }
};

struct Filled {
  Filled() {
    const Stamp stamp{.tau = {.high = 1, .low = 1}, .snapshot = {.xmax = 10}};
    cache.coherence().apply({.sent_at = clock.now(), .stamp = stamp});
    for (std::int64_t n = 1; n <= kUsers; ++n) {
      const Email email = *Email::parse("user" + std::to_string(n) + "@example.org");
      const UserRef user = make_record({.id = *UserId::from(n), .email = email});
      cache.coherence().admit(CacheKey::of(user->user.id).view(), stamp, user);
      cache.coherence().admit(CacheKey::of(email).view(), stamp, user->user.id);
    }
  }
  ManualClock clock;
  Cache cache{{}, clock};
  NoStore inner;
  CachedUserStore store{inner, cache};
};

Filled& filled() {
  static Filled once;
  return once;
}

// Different on every thread, cheap, and spread over all users.
class NextId {
 public:
  explicit NextId(int thread) : state_{static_cast<std::uint64_t>(thread) * 7919 + 1} {}
  UserId next() {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return *UserId::from(1 + static_cast<std::int64_t>((state_ >> 33) % kUsers));
  }

 private:
  std::uint64_t state_;
};

void LookUpHot(benchmark::State& state) {
  Coherence& coherence = filled().cache.coherence();
  const BootTime now = filled().clock.now();
  for (auto _ : state) {
    if (!coherence.lease_valid(now)) std::abort();
    auto value = coherence.look_up(CacheKey::of(*UserId::from(42)).view());
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(LookUpHot)->Threads(1)->Threads(2)->UseRealTime();

void LookUpWide(benchmark::State& state) {
  Coherence& coherence = filled().cache.coherence();
  const BootTime now = filled().clock.now();
  NextId ids{state.thread_index()};
  for (auto _ : state) {
    if (!coherence.lease_valid(now)) std::abort();
    auto value = coherence.look_up(CacheKey::of(ids.next()).view());
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(LookUpWide)->Threads(1)->Threads(2)->UseRealTime();

void FindNow(benchmark::State& state) {
  CachedUserStore& store = filled().store;
  const BootTime now = filled().clock.now();
  NextId ids{state.thread_index()};
  for (auto _ : state) {
    auto reading = store.find_now(ids.next(), {}, now);
    if (!reading) std::abort();
    benchmark::DoNotOptimize(reading);
  }
}
BENCHMARK(FindNow)->Threads(1)->Threads(2)->UseRealTime();

void FindNowByEmail(benchmark::State& state) {
  CachedUserStore& store = filled().store;
  const BootTime now = filled().clock.now();
  const Email email = *Email::parse("user42@example.org");
  for (auto _ : state) {
    auto reading = store.find_now(email, {}, now);
    if (!reading) std::abort();
    benchmark::DoNotOptimize(reading);
  }
}
BENCHMARK(FindNowByEmail)->Threads(1)->Threads(2)->UseRealTime();

void Miss(benchmark::State& state) {
  Coherence& coherence = filled().cache.coherence();
  for (auto _ : state) {
    auto value = coherence.look_up("user:0");
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(Miss);

}  // namespace
}  // namespace um

BENCHMARK_MAIN();
