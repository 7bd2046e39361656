// Through HTTP: reads and writes of one user, on every path, form a linearizable register. A
// session that was ended is refused in every request that begins afterwards.
#include <atomic>
#include <csignal>
#include <thread>

#include "support/database_probe.hpp"
#include "support/history.hpp"
#include "support/json.hpp"
#include "support/promise.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class Linearizability : public StageTest<Linearizability> {
 public:
  // More loops than cores, so that threads are preempted at arbitrary places.
  static ServeOptions options() { return {.arguments = {"--threads", "4"}}; }

 protected:
  void SetUp() override { stage().add("ann"); }

  struct Recording {
    std::vector<test::Operation> operations{};
    std::size_t hits = 0;
    std::string trouble{};
  };

  static HttpRequest patch(const std::string& name) {
    return {.method = "PATCH",
            .target = stage().fill_in("/user/<ann>"),
            .headers = {bearer(stage().token("admin"))},
            .body = R"({"first_name": ")" + name + R"("})"};
  }

  static void record_write(HttpClient& client, const std::string& name, Recording& recording) {
    const auto begin = BootClock::now();
    const auto answer = client.send(patch(name));
    const auto end = BootClock::now();
    if (answer.status == 409) return;  // lost every compare-and-set, so nothing was written
    if (answer.status != 200) {
      recording.trouble = answer.text();
      return;
    }
    recording.operations.push_back(
        {.kind = test::Operation::Kind::write,
         .begin = begin,
         .end = end,
         .version = std::stoll(text_at(answer.json(), "/user/version"))});
  }

  static void record_read(HttpClient& client, const HttpRequest& request, Recording& recording) {
    const auto begin = BootClock::now();
    const auto answer = client.send(request);
    const auto end = BootClock::now();
    if (came_too_late(request, answer)) return;  // says nothing about the user
    if (answer.status != 200) {
      recording.trouble = answer.text();
      return;
    }
    if (answer.header("Cache-Status").value_or("").find("; hit") != std::string::npos) {
      ++recording.hits;
    }
    recording.operations.push_back({.kind = test::Operation::Kind::read,
                                    .begin = begin,
                                    .end = end,
                                    .version = std::stoll(text_at(answer.json(), "/version"))});
  }

  // 2 writers with 250 writes each, 4 readers as long as they write.
  static void run_and_check(const std::string& target) {
    constexpr int kWriters = 2;
    constexpr int kReaders = 4;
    constexpr int kWrites = 250;
    constexpr int kReadsBetweenWrites = 3;
    const auto initial =
        std::stoll(text_at(stage().get("admin", "/user/<ann>").json(), "/version"));
    const HttpRequest read{.target = stage().fill_in(target),
                           .headers = {bearer(stage().token("admin"))}};
    std::vector<Recording> recordings(kWriters + kReaders);
    std::atomic<int> writing{kWriters};
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < recordings.size(); ++i) {
        threads.emplace_back([&, i] {
          auto client = stage().server().client();
          auto& own = recordings[i];
          if (i >= kWriters) {
            while (writing > 0 && own.trouble.empty()) record_read(client, read, own);
            return;
          }
          for (int n = 0; n < kWrites && own.trouble.empty(); ++n) {
            record_write(client, "w" + std::to_string(i) + "." + std::to_string(n), own);
            // Without reads between writes there would be nothing in the cache that could be stale.
            for (int r = 0; r < kReadsBetweenWrites; ++r) record_read(client, read, own);
          }
          --writing;
        });
      }
    }
    std::vector<test::Operation> history;
    std::size_t hits = 0;
    for (auto& recording : recordings) {
      EXPECT_EQ(recording.trouble, "");
      hits += recording.hits;
      history.insert(history.end(), recording.operations.begin(), recording.operations.end());
    }
    const auto writes =
        std::ranges::count(history, test::Operation::Kind::write, &test::Operation::kind);
    EXPECT_GE(writes, kWriters * kWrites / 2);
    EXPECT_GE(history.size(), 2'000U);
    EXPECT_GT(hits, 100U) << "a run without hits is no evidence";
    const auto found = test::History{{.initial = initial}, history}.violations();
    EXPECT_EQ(found.size(), 0U) << test::kBroken << found.front();
    RecordProperty("operations", static_cast<int>(history.size()));
    RecordProperty("hits", static_cast<int>(hits));
  }
};

TEST_F(Linearizability, ReadsByIdAreUpToDate) {
  run_and_check("/user/<ann>");
}

TEST_F(Linearizability, ReadsByAddressAreUpToDate) {
  run_and_check("/users/by-email/<ann.email>");
}

TEST_F(Linearizability, ATokenIsRefusedByWhateverBeginsAfterItsLogout) {
  for (int round = 0; round < 10; ++round) {
    stage().sign_in_again("ann");
    const HttpRequest read{.target = "/auth/me", .headers = {bearer(stage().token("ann"))}};
    struct Seen {
      Steady::time_point begin;
      unsigned status;
    };
    std::vector<std::vector<Seen>> seen(3);
    std::atomic<std::size_t> reads{0};
    std::atomic<bool> stop{false};
    Steady::time_point logged_out;
    {
      std::vector<std::jthread> readers;
      for (auto& own : seen) {
        readers.emplace_back([&] {
          auto client = stage().server().client();
          while (!stop) {
            const auto begin = Steady::now();
            const auto answer = client.send(read);
            if (came_too_late(read, answer)) continue;
            own.push_back({begin, answer.status});
            ++reads;
          }
        });
      }
      auto client = stage().server().client();
      EXPECT_TRUE(eventually([&] { return reads > 100; }));
      const auto target = round % 2 == 0 ? "/auth/logout" : "/auth/logout-all";
      const auto answer =
          client.send({.method = "POST", .target = target, .headers = read.headers});
      logged_out = Steady::now();
      EXPECT_EQ(answer.status, 200U) << answer.text();
      const auto before = reads.load();
      EXPECT_TRUE(eventually([&] { return reads > before + 50; }));
      stop = true;
    }
    for (const auto& own : seen) {
      for (const auto& [begin, status] : own) {
        EXPECT_TRUE(status == 401 || (status == 200 && begin < logged_out))
            << test::kBroken << status;
      }
    }
  }
}

TEST_F(Linearizability, WhatAnotherProgramChangesIsSeenByWhateverBeginsTLater) {
  constexpr std::chrono::milliseconds kT{500};
  DatabaseProbe probe{stage().server().database()};
  const HttpRequest read{.target = stage().fill_in("/user/<ann>"),
                         .headers = {bearer(stage().token("admin"))}};
  auto client = stage().server().client();
  std::size_t hits = 0;
  for (int round = 1; round <= 6; ++round) {
    probe.execute("UPDATE users SET first_name = 'round " + std::to_string(round) +
                  "' WHERE id = " + stage().known("ann"));
    const auto committed = Steady::now();
    const std::string wanted = "round " + std::to_string(round);
    // Continues to read for a while after the last moment at which a stale answer is allowed.
    for (Steady::time_point begin{}; begin < committed + kT + std::chrono::milliseconds{100};) {
      begin = Steady::now();
      const auto answer = client.send(read);
      if (answer.status == 503) continue;  // no lease; 503 is no stale answer
      ASSERT_EQ(answer.status, 200U) << answer.text();
      if (answer.header("Cache-Status").value_or("").find("; hit") != std::string::npos) ++hits;
      if (begin >= committed + kT) {
        ASSERT_EQ(text_at(answer.json(), "/first_name"), wanted) << test::kBroken;
      }
    }
  }
  EXPECT_GT(hits, 100U) << "a run without hits is no evidence";
}

TEST_F(Linearizability, AProcessThatWasStoppedAnswersNothingFromBefore) {
  constexpr std::chrono::milliseconds kT{500};
  DatabaseProbe probe{stage().server().database()};
  HttpConnection connection{stage().server().endpoint()};
  const HttpRequest read{.target = stage().fill_in("/user/<ann>"),
                         .headers = {bearer(stage().token("admin"))}};
  for (int round = 1; round <= 5; ++round) {
    EXPECT_TRUE(eventually([&] {
      return connection.exchange(read).header("Cache-Status") == "user-manager; hit; detail=L1";
    }));
    stage().server().process().send_signal(SIGSTOP);
    const std::string wanted = "stopped " + std::to_string(round);
    probe.execute("UPDATE users SET first_name = '" + wanted +
                  "' WHERE id = " + stage().known("ann"));
    const auto committed = Steady::now();
    EXPECT_TRUE(eventually([&] {
      probe.value("SELECT 1");
      return Steady::now() > committed + kT;
    }));
    connection.write(read.text());  // waits in the socket's buffer
    stage().server().process().send_signal(SIGCONT);
    auto answer = connection.read_response();
    while (answer && came_too_late(read, *answer)) answer = connection.exchange(read);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200U) << answer->text();
    EXPECT_EQ(text_at(answer->json(), "/first_name"), wanted) << test::kBroken << answer->text();
  }
}

}  // namespace
}  // namespace um::e2e
