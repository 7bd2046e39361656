// Load: clients that write and read on all instances of a fleet, and record the answers.
//
// Each writer has a user of its own, and increments its first name at one instance; in between it
// records usage and makes users. Readers at every instance read all of these users by id and by
// address. Every answer is checked at once: against the invariants, and that it is one that an
// outage allows.
//
// A write happened if the answer is 2xx. After 503 with the code "unknown_outcome" it may have
// happened, or may happen later. After every other error it has not happened and will not.
//
// Thread safety: for the owner; the counters from any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "chaos/fleet.hpp"
#include "support/history.hpp"

namespace um::e2e {

struct LoadOptions {
  std::size_t writers_per_instance = 1;
  // Between two requests of one client: other tests use the machine as well.
  std::chrono::microseconds read_pause{500};
  std::chrono::microseconds write_pause{2000};
};

struct LoadPhase {
  BootTime from = BootTime::min();
  BootTime to = BootTime::max();
};

class Load {
 public:
  using Options = LoadOptions;
  using Phase = LoadPhase;
  explicit Load(Fleet& fleet, Options options = {});
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Waits for so many more acknowledged writes at every instance.
  void wait_for_writes(std::uint64_t more);
  // Lets the load run until then.
  void wait_until(BootTime moment);
  // Waits until every instance has refused so many more reads.
  void wait_for_refused_reads(std::uint64_t more);
  void stop();

  // After stop():
  // Fails the test for every wrong answer, and for every acknowledged write that is not in the
  // database.
  void expect_kept_promises();
  // In this phase the instance answered its reader at least once, and only with 503.
  void expect_silence(std::size_t instance, Phase phase) const;
  // The quantile `part` of the durations of requests that began in the phase; 1: the longest.
  std::chrono::nanoseconds took_at_most(double part, Phase phase = {}) const;
  std::chrono::nanoseconds slowest(Phase phase = {}) const { return took_at_most(1, phase); }
  std::uint64_t hits() const;
  std::uint64_t refused() const;  // 503

 private:
  struct Asked {
    BootTime begin{};
    std::chrono::nanoseconds took{};
    unsigned status = 0;
  };
  // The answers to one client; other threads read them after stop().
  struct Notes {
    std::vector<std::pair<std::size_t, test::Operation>> operations{};  // with the writer's number
    std::vector<Asked> asked{};
    std::uint64_t hits = 0;
    std::int64_t names = 0;  // tried
    std::int64_t usages_done = 0;
    std::int64_t usages_unknown = 0;
    std::vector<std::string> made{};
    std::vector<std::string> not_made{};
    std::string trouble{};
  };
  enum class Outcome { done, not_done, unknown };
  struct Writer {
    std::size_t number;
    std::size_t instance;
  };

  void write(const std::stop_token& stop, Writer who, Notes& notes);
  void read(const std::stop_token& stop, std::size_t instance, Notes& notes);
  void write_name(HttpClient& client, Writer who, Notes& notes);
  void write_usage(HttpClient& client, Writer who, Notes& notes);
  void make_user(HttpClient& client, Writer who, Notes& notes);
  std::optional<HttpResponse> send(HttpClient& client, const HttpRequest& request, Notes& notes);
  Outcome outcome_of(const std::optional<HttpResponse>& answer, Notes& notes);
  std::vector<HttpRequest> reads_of(std::size_t writer) const;
  std::string writer_name(std::size_t number) const { return "writer" + std::to_string(number); }
  void expect_rows();

  Fleet& fleet_;
  const Options options_;
  const std::string series_;  // part of the addresses of users made by this load
  std::size_t writers_;
  std::vector<std::atomic<std::uint64_t>> written_;        // by instance
  std::vector<std::atomic<std::uint64_t>> refused_reads_;  // by instance
  std::vector<Notes> notes_;                               // writers, then readers
  std::vector<std::jthread> people_;
};

}  // namespace um::e2e
