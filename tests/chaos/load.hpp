// Load: people who write and read on all instances of a fleet, and write down what they were told.
//
// Each writer has a user of its own and writes its first name, which counts up, at one instance;
// between that it records usage and makes users. Readers at every instance read all of those by id
// and by address. Every answer is checked on the spot: as the invariants say, and that it is one of
// those that an outage allows.
//
// Whether a write happened. 2xx: yes. 503 with the code "unknown_outcome": nobody knows. Every
// other refusal: no, also not later.
//
// Thread safety: the owner's; the counters from any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "chaos/fleet.hpp"
#include "chaos/history.hpp"

namespace um::e2e {

struct LoadOptions {
  std::size_t writers_per_instance = 1;
  // Between two requests of one person: the tests share their machine.
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
  // Goes on until then.
  void wait_until(BootTime moment);
  // Waits until every instance has refused so many reads more.
  void wait_for_refused_reads(std::uint64_t more);
  void stop();

  // After stop():
  // Adds failures for whatever was answered wrongly, or is not in the database as promised.
  void expect_kept_promises();
  // In this phase the instance answered its reader only with 503, and did so.
  void expect_silence(std::size_t instance, Phase phase) const;
  // `part` of all requests that began in the phase took no longer; 1: none did.
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
  // What one person was told; read by others after stop().
  struct Notes {
    std::vector<std::pair<std::size_t, Operation>> operations{};  // with the writer's number
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
