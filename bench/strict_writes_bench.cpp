// Measures strict writes beside plain UPDATEs, with the same driver and on the same rows.
//
//   strict_writes_bench postgresql://… CLIENTS SECONDS ROUNDS plain|writes|watch
//
// plain: each round runs UPDATE of a first name with the driver alone, then the same change as a
// write of the storage, with the feed of an instance around it. writes: the storage's writes alone,
// one line for each round. watch: the same, and a line for each write over 200 ms.
//
// REQUIRES: the database was migrated and has at least as many users as there are clients, with the
// ids from 1 on. Each client changes a user of its own. bench/strict_writes.py starts the servers
// and the other instances.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "async/pause.hpp"
#include "cache/coherence.hpp"
#include "drivers/pg/client.hpp"
#include "storage/postgres/migrator.hpp"
#include "storage/postgres/storage.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

// The columns that the storage changes with a first name.
constexpr pg::Query kUpdate{"plain_update",
                            "UPDATE users SET first_name = $2, updated_at = now(),"
                            " search = E'\\x1e' || $3::text WHERE id = $1 RETURNING version"};
constexpr auto kPatience = 20s;
constexpr auto kSlow = 200ms;  // less than T, more than a busy machine takes

// The durations of one side of one round.
class Durations {
 public:
  void add(BootTime::duration took) { all_.push_back(took); }
  void print(const char* side, std::chrono::duration<double> time) {
    if (all_.empty()) throw std::runtime_error{"nothing was measured"};
    std::ranges::sort(all_);
    std::printf(
        R"({"side": "%s", "writes": %zu, "per_second": %.0f, "median_ms": %.3f, "p99_ms": %.3f, "longest_ms": %.3f})"
        "\n",
        side, all_.size(), static_cast<double>(all_.size()) / time.count(), at(0.5), at(0.99),
        at(1));
    std::fflush(stdout);
  }

 private:
  double at(double part) const {
    const auto index = static_cast<std::size_t>(part * static_cast<double>(all_.size() - 1));
    return std::chrono::duration<double, std::milli>{all_[index]}.count();
  }
  std::vector<BootTime::duration> all_;
};

class Bench {
 public:
  Bench(const std::string& url, std::int64_t clients, std::chrono::seconds time)
      : clients_{clients}, time_{time} {
    const auto deployment = read_deployment(Secret{url});
    if (!deployment) throw std::runtime_error{deployment.error().detail};
    auto opened = open_postgres({.url = Secret{url},
                                 .clock = &clock_,
                                 .loops = {&loop_},
                                 .times = deployment->times,
                                 .instance_name = "bench"});
    if (!opened) throw std::runtime_error{opened.error().detail};
    storage_ = std::move(*opened);
    plain_ = std::make_unique<pg::Client>(pg::Options{.url = Secret{url}},
                                          std::vector<boost::asio::io_context*>{&loop_});
    storage_->changes().start(memory_);
    known_.resize(static_cast<std::size_t>(clients) + 1);
  }
  ~Bench() {
    storage_->changes().stop();
    loop_.stop();
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  // Until the storage is ready, and every row was read and written once on both sides.
  void warm_up() {
    run_all([this](std::int64_t client) { return warm_up(client); });
  }
  void plain() {
    measure("plain", [this](std::int64_t client) { return write_plainly(client); });
  }
  void writes() {
    measure("strict", [this](std::int64_t client) { return write(client); });
  }
  bool tells_slow_ones = false;

 private:
  template <class Body>
  void measure(const char* side, Body body) {
    durations_ = {};
    const BootTime begin = BootClock::now();
    until_ = begin + time_;
    run_all(body);
    durations_.print(side, BootClock::now() - begin);
  }
  template <class Body>
  void run_all(Body body) {
    std::int64_t writing = clients_;
    std::int64_t keeping_up = 1;
    const auto start = [this](Task<void> task, std::int64_t& count) {
      boost::asio::co_spawn(loop_, std::move(task), [&count](const std::exception_ptr& failure) {
        --count;
        if (failure) std::rethrow_exception(failure);
      });
    };
    for (std::int64_t client = 1; client <= clients_; ++client) start(body(client), writing);
    start(keep_up(writing), keeping_up);
    loop_.restart();
    while (writing + keeping_up > 0) loop_.run_one();
  }
  Task<void> keep_up(const std::int64_t& writing) {
    while (writing > 0) {
      const auto done = co_await storage_->upkeep({BootClock::now() + kPatience});
      if (!done) std::fprintf(stderr, "upkeep: %s\n", done.error().detail.c_str());
      co_await pause(50ms);
    }
  }
  Task<void> warm_up(std::int64_t client) {
    const Deadline deadline{BootClock::now() + kPatience};
    for (;;) {
      const auto ready = co_await storage_->ping(deadline);
      if (ready && memory_.lease_valid(clock_.now())) break;
      if (deadline.passed(BootClock::now())) throw std::runtime_error{"never ready"};
      co_await pause(20ms);
    }
    for (int i = 0; i < 20; ++i) {
      co_await change(client);
      co_await change_plainly(client);
    }
  }
  Task<void> write(std::int64_t client) {
    while (BootClock::now() < until_) {
      const BootTime begin = BootClock::now();
      co_await change(client);
      const auto took = BootClock::now() - begin;
      durations_.add(took);
      if (tells_slow_ones && took > kSlow) {
        std::printf("slow: %.1f ms\n", std::chrono::duration<double, std::milli>{took}.count());
        std::fflush(stdout);
      }
    }
  }
  Task<void> write_plainly(std::int64_t client) {
    while (BootClock::now() < until_) {
      const BootTime begin = BootClock::now();
      co_await change_plainly(client);
      durations_.add(BootClock::now() - begin);
    }
  }
  // As the service writes: the row is known from memory, but for the first time and lost races.
  Task<void> change(std::int64_t client) {
    UserRef& known = known_[static_cast<std::size_t>(client)];
    UpdateUser update{.id = UserId::from(client).value(),
                      .change = {.first_name = "N" + std::to_string(++number_)},
                      .known = known};
    auto changed = co_await storage_->users().update(std::move(update), in_time());
    if (!changed) throw std::runtime_error{"update: " + changed.error().detail};
    known = std::move(*changed);
  }
  Task<void> change_plainly(std::int64_t client) {
    const std::string id = std::to_string(client);
    const std::string name = "N" + std::to_string(++number_);
    pg::Params params{
        client, name,
        "n" + std::to_string(number_) + "\x1elast" + id + "\x1euser" + id + "@example.org"};
    const auto changed = co_await plain_->write(kUpdate, std::move(params), in_time());
    if (!changed) throw std::runtime_error{"UPDATE: " + changed.error().message};
    known_[static_cast<std::size_t>(client)] = nullptr;  // its version is another one now
  }
  static Deadline in_time() { return {BootClock::now() + kPatience}; }

  const std::int64_t clients_;
  const std::chrono::seconds time_;
  const SystemClock clock_;
  boost::asio::io_context loop_{1};
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<pg::Client> plain_;
  Coherence memory_{{.registry_bound = 6s}};
  std::vector<UserRef> known_;
  std::int64_t number_ = 0;
  BootTime until_{};
  Durations durations_;
};

int run(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("strict_writes_bench postgresql://… CLIENTS SECONDS ROUNDS plain|writes|watch\n",
               stderr);
    return 2;
  }
  const std::string what = argv[5];
  Bench bench{argv[1], std::stoll(argv[2]), std::chrono::seconds{std::stoll(argv[3])}};
  bench.warm_up();
  bench.tells_slow_ones = what == "watch";
  for (int round = 0; round < std::stoi(argv[4]); ++round) {
    if (what == "plain") bench.plain();
    bench.writes();
  }
  return 0;
}

}  // namespace
}  // namespace um

int main(int argc, char** argv) {
  try {
    return um::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
