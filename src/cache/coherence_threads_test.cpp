// The protocol with real threads: a writer, a poller that flushes, and readers that must never see
// a version older than one acknowledged before they began. For the thread sanitizer as well as for
// the assertions.
#include <atomic>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "cache/coherence.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

// One row of a database with numbered commits.
class Row {
 public:
  struct Seen {
    std::int64_t version;
    Stamp stamp;
  };
  Xid commit(std::int64_t version) {
    const std::scoped_lock lock{mutex_};
    version_ = version;
    return next_xid_++;
  }
  Seen read() {
    const std::scoped_lock lock{mutex_};
    return {version_, {.tau = {.high = 1, .low = 1}, .snapshot = {.xmax = next_xid_}}};
  }

 private:
  std::mutex mutex_;
  std::int64_t version_ = 1;
  Xid next_xid_ = 10;
};

struct ReaderResult {
  std::uint64_t hits = 0;
  std::uint64_t refused = 0;
  std::uint64_t outdated = 0;
};

ReaderResult read_until(const std::atomic<bool>& stop, const std::atomic<std::int64_t>& acked,
                        Coherence& cache, Row& row) {
  ReaderResult result;
  while (!stop.load(std::memory_order_relaxed)) {
    const std::int64_t floor = acked.load(std::memory_order_acquire);
    std::int64_t version = 0;
    std::optional<L1Value> value;
    if (cache.lease_valid(BootTime{1s})) value = cache.look_up("user:1");
    if (value) {
      version = std::get<UserId>(*value).value();
      ++result.hits;
    } else {
      const auto seen = row.read();
      version = seen.version;
      if (cache.admit("user:1", seen.stamp, *UserId::from(version)) != Admission::admitted)
        ++result.refused;
    }
    if (version < floor) ++result.outdated;
  }
  return result;
}

TEST(CoherenceUnderThreads, NoReaderSeesLessThanWasAcknowledgedBeforeItBegan) {
  Coherence cache{{.staleness_bound = 3600s, .capacity_bytes = 1 << 20, .max_log_entries = 64}};
  Row row;
  std::atomic<bool> stop = false;
  std::atomic<std::int64_t> acked = 1;
  cache.apply({.sent_at = BootTime{1s}, .stamp = row.read().stamp});

  ReaderResult results[2];
  std::thread readers[2];
  for (int i = 0; i < 2; ++i)
    readers[i] = std::thread{[&, i] { results[i] = read_until(stop, acked, cache, row); }};
  std::thread poller{[&] {
    for (int n = 0; !stop.load(std::memory_order_relaxed); ++n) {
      Poll poll{.sent_at = BootTime{1s}, .stamp = row.read().stamp};
      if (n % 3 == 0) poll.flush_reason = "test";
      cache.apply(poll);
      static_cast<void>(cache.stats(BootTime{1s}));
      std::this_thread::yield();
    }
  }};
  const std::vector<std::string> keys{"user:1"};
  for (std::int64_t version = 2; version < 3000; ++version) {
    cache.hold(keys);
    const Xid xid = row.commit(version);
    cache.settle(keys, xid);
    acked.store(version, std::memory_order_release);
    if (version % 8 == 0) std::this_thread::yield();
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  poller.join();
  EXPECT_EQ(results[0].outdated + results[1].outdated, 0U);
  EXPECT_EQ(cache.stats(BootTime{1s}).holds, 2998U);
}

}  // namespace
}  // namespace um
