// Reads and writes of one user on several instances: the writing instance never answers with a
// version older than one it acknowledged, and the others are at most T late.
#include <gtest/gtest.h>

#include "chaos/fleet.hpp"
#include "support/history.hpp"
#include "support/json.hpp"
#include "support/promise.hpp"

namespace um::e2e {
namespace {

struct Recording {
  std::vector<test::Operation> operations{};
  std::size_t hits = 0;
  std::string trouble{};
};

class FleetRegister : public ::testing::TestWithParam<FleetOptions> {
 protected:
  static constexpr std::size_t kWrites = 40;

  void record(std::size_t instance, HttpClient& client, const HttpRequest& request,
              Recording& recording) {
    const bool writes = request.method == "PATCH";
    test::Operation operation{
        .kind = writes ? test::Operation::Kind::write : test::Operation::Kind::read,
        .begin = BootClock::now(),
        .instance = instance,
        .promise = test::Promise::bounded_but_own_at_once};
    const auto answer = client.send(request);
    operation.end = BootClock::now();
    if (answer.status == 409 && writes)
      return;  // lost every compare-and-set, so nothing was written
    // The machine is too busy. 503 is no stale answer.
    if (answer.status == 503 && text_at(answer.json(), "/code") != "unknown_outcome") return;
    if (answer.status != 200) {
      recording.trouble = answer.text();
      return;
    }
    operation.version = std::stoll(text_at(answer.json(), writes ? "/user/version" : "/version"));
    if (is_hit(answer)) ++recording.hits;
    recording.operations.push_back(operation);
  }

  void write(std::size_t instance, Recording& own) {
    auto client = fleet_.client(instance);
    const auto read = fleet_.as("admin", "GET /user/<ann>");
    for (std::size_t n = 0; n < kWrites && own.trouble.empty(); ++n) {
      const auto name = "w" + std::to_string(instance) + "." + std::to_string(n);
      record(instance, client,
             fleet_.as("admin", "PATCH /user/<ann>", R"({"first_name": ")" + name + R"("})"), own);
      // Without reads between writes there would be nothing in memory that could be stale.
      for (int r = 0; r < 8 && own.trouble.empty(); ++r) {
        record(instance, client, read, own);
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
      }
    }
  }

  void read(std::size_t instance, const std::string& target, const std::atomic<int>& writing,
            Recording& own) {
    auto client = fleet_.client(instance);
    const auto request = fleet_.as("admin", "GET " + target);
    while (writing > 0 && own.trouble.empty()) {
      record(instance, client, request, own);
      std::this_thread::sleep_for(std::chrono::microseconds{200});
    }
  }

  Fleet fleet_{GetParam()};
};

// The longest time from the begin of a write until another instance returned it.
std::chrono::nanoseconds latest_seen(const std::vector<test::Operation>& history,
                                     std::size_t instances) {
  std::chrono::nanoseconds latest{0};
  for (const auto& write : history) {
    if (write.kind != test::Operation::Kind::write) continue;
    for (std::size_t i = 0; i < instances; ++i) {
      auto seen = test::kNever;
      for (const auto& read : history) {
        if (read.kind == test::Operation::Kind::read && read.instance == i &&
            read.version >= write.version) {
          seen = std::min(seen, read.begin);
        }
      }
      if (seen != test::kNever)
        latest = std::max<std::chrono::nanoseconds>(latest, seen - write.begin);
    }
  }
  return latest;
}

TEST_P(FleetRegister, NoInstanceIsLaterThanItMayBe) {
  fleet_.stage().add("ann");
  ASSERT_TRUE(fleet_.warm_up(fleet_.as("admin", "GET /user/<ann>")));
  ASSERT_TRUE(fleet_.warm_up(fleet_.as("admin", "GET /users/by-email/<ann.email>")));
  const auto initial =
      std::stoll(text_at(fleet_.stage().get("admin", "/user/<ann>").json(), "/version"));
  constexpr std::size_t kWriters = 2;
  std::vector<Recording> recordings(kWriters + 2 * fleet_.size());
  std::atomic<int> writing{kWriters};
  {
    std::vector<std::jthread> people;
    for (std::size_t i = 0; i < kWriters; ++i) {
      people.emplace_back([&, i] {
        write(i, recordings[i]);
        --writing;
      });
    }
    for (std::size_t i = 0; i < 2 * fleet_.size(); ++i) {
      people.emplace_back([&, i] {
        const std::string target = i % 2 == 0 ? "/user/<ann>" : "/users/by-email/<ann.email>";
        read(i / 2, target, writing, recordings[kWriters + i]);
      });
    }
  }
  std::vector<test::Operation> history;
  for (const auto& recording : recordings) {
    EXPECT_EQ(recording.trouble, "") << fleet_.output();
    EXPECT_GT(recording.hits, 20U) << "a run without answers from memory is no evidence";
    history.insert(history.end(), recording.operations.begin(), recording.operations.end());
  }
  EXPECT_GE(std::ranges::count(history, test::Operation::Kind::write, &test::Operation::kind),
            static_cast<std::ptrdiff_t>(kWrites));
  const auto found = test::History{{.initial = initial, .staleness = kT}, history}.violations();
  EXPECT_EQ(found.size(), 0U) << test::kBroken << found.front();
  note_figure("seen by all", latest_seen(history, fleet_.size()));
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    EXPECT_GT(fleet_.cache_stat(i, "/hits/l1/total"), 100);
    if (GetParam().redis == FleetOptions::Redis::yes) {
      EXPECT_GT(fleet_.cache_stat(i, "/hits/l2/total"), 0) << "Redis helped nobody";
    }
    EXPECT_EQ(fleet_.instance(i).stop().code, 0) << fleet_.instance(i).process().all();
  }
}

INSTANTIATE_TEST_SUITE_P(, FleetRegister, ::testing::ValuesIn(fleets_with_and_without_redis()),
                         name_of_fleet);

}  // namespace
}  // namespace um::e2e
