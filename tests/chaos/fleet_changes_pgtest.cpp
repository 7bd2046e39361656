// Every kind of change, made at one instance or by another program, is seen by all instances within
// T.
#include <functional>

#include <gtest/gtest.h>

#include "chaos/fleet.hpp"
#include "support/history.hpp"
#include "support/invariants.hpp"
#include "support/json.hpp"
#include "support/promise.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;

// A change of one user, and a request that shows whether an instance knows the change.
struct Change {
  std::string name;    // of the changed user
  HttpRequest change;  // empty target: by another program
  std::string sql{};   // in that case
  HttpRequest question;
  std::function<bool(const HttpResponse&)> knows;
};

std::function<bool(const HttpResponse&)> status_is(unsigned status) {
  return [status](const HttpResponse& answer) { return answer.status == status; };
}
std::function<bool(const HttpResponse&)> says(std::string pointer, std::string value) {
  return [pointer = std::move(pointer), value = std::move(value)](const HttpResponse& answer) {
    return answer.status == 200 && text_at(answer.json(), pointer) == value;
  };
}

// The requests to one instance about one change.
struct Question {
  BootTime begin{};
  BootTime end{};
  bool knew = false;
  bool hit = false;
};

struct Made {
  BootTime sent{};
  BootTime acknowledged{};
};

class FleetChanges : public ::testing::TestWithParam<FleetOptions> {
 protected:
  explicit FleetChanges(FleetOptions options = GetParam()) : fleet_{std::move(options)} {}

  Change by_admin(const std::string& name, const std::string& body, HttpRequest question,
                  std::function<bool(const HttpResponse&)> knows) {
    return {.name = name,
            .change = fleet_.as("admin", "PATCH /user/<" + name + ">", body),
            .question = std::move(question),
            .knows = std::move(knows)};
  }
  HttpRequest get(const std::string& name) {
    return fleet_.as("admin", "GET /user/<" + name + ">");
  }
  HttpRequest me(const std::string& name) { return fleet_.as(name, "GET /auth/me"); }

  std::vector<Change> changes_through_the_service();

  // Makes the changes at `writer` (size(): by another program). Meanwhile all instances are asked
  // about each change, until more than T after the last acknowledgement.
  void make_and_watch(const std::vector<Change>& changes, std::size_t writer);

  void make(const Change& change, HttpClient* client, Made& made);
  void ask(std::size_t instance, const std::vector<Change>& changes,
           const std::atomic<BootTime>& until, std::vector<std::vector<Question>>& asked);
  void judge(const Change& change, const Made& made, bool here, const std::vector<Question>& asked);

  Fleet fleet_;
  std::chrono::nanoseconds latest_{0};
  std::size_t hits_ = 0;
};

std::vector<Change> FleetChanges::changes_through_the_service() {
  fleet_.stage().add({"patched", "deleted", "disabled", "left", "left_all", "promoted", "hashed"});
  fleet_.stage().add({"old_address", "new_address", "counted", "forgotten"});
  const auto fresh = "fresh-" + fleet_.stage().known("patched") + "@example.test";
  std::vector<Change> all{
      by_admin("patched", R"({"first_name": "New"})", get("patched"), says("/first_name", "New")),
      by_admin("disabled", R"({"is_active": false})", me("disabled"), status_is(401)),
      by_admin("promoted", R"({"role": "admin"})", fleet_.as("promoted", "GET /user/<admin>"),
               status_is(200)),
      by_admin("hashed", R"({"password": "another-Sesame-2"})", me("hashed"), status_is(401)),
      by_admin("old_address", R"({"email": "moved-)" + fresh + R"("})",
               fleet_.as("admin", "GET /users/by-email/<old_address.email>"), status_is(404)),
      by_admin("new_address", R"({"email": ")" + fresh + R"("})",
               fleet_.as("admin", "GET /users/by-email/" + fresh), status_is(200)),
  };
  all.push_back({.name = "deleted",
                 .change = fleet_.as("admin", "DELETE /user/<deleted>"),
                 .question = get("deleted"),
                 .knows = status_is(404)});
  all.push_back({.name = "left",
                 .change = fleet_.as("left", "POST /auth/logout"),
                 .question = me("left"),
                 .knows = status_is(401)});
  all.push_back({.name = "left_all",
                 .change = fleet_.as("left_all", "POST /auth/logout-all"),
                 .question = me("left_all"),
                 .knows = status_is(401)});
  all.push_back({.name = "counted",
                 .change = fleet_.as("admin", "POST /user/<counted>/usage", R"({"usd": "2"})"),
                 .question = get("counted"),
                 .knows = says("/used_usd", "2")});
  const auto created = "created-" + fresh;
  all.push_back(
      {.name = "created",
       .change = fleet_.as("admin", "POST /user/",
                           R"({"email": ")" + created + R"(", "password": "open-Sesame-1"})"),
       .question = fleet_.as("admin", "GET /users/by-email/" + created),
       .knows = status_is(200)});
  return all;
}

void FleetChanges::make(const Change& change, HttpClient* client, Made& made) {
  SCOPED_TRACE(change.name);
  made.sent = BootClock::now();
  if (client == nullptr) {
    fleet_.instance(0).storage().execute(change.sql);
  } else {
    const auto answer = client->send(change.change);
    EXPECT_TRUE(answer.status == 200 || answer.status == 201) << answer.text();
  }
  made.acknowledged = BootClock::now();
}

void FleetChanges::ask(std::size_t instance, const std::vector<Change>& changes,
                       const std::atomic<BootTime>& until,
                       std::vector<std::vector<Question>>& asked) {
  auto client = fleet_.client(instance);
  const auto patience_ends = BootClock::now() + kPatience;
  for (BootTime oldest{}; oldest < until.load() && BootClock::now() < patience_ends;) {
    oldest = BootTime::max();
    for (std::size_t i = 0; i < changes.size(); ++i) {
      Question question{.begin = BootClock::now()};
      const auto answer = client.send(changes[i].question);
      question.end = BootClock::now();
      expect_invariants(changes[i].question, answer);
      question.knew = changes[i].knows(answer);
      question.hit = is_hit(answer);
      // The machine is too busy. 503 is no stale answer.
      if (answer.status != 503) asked[i].push_back(question);
      oldest = asked[i].empty() ? BootTime{} : std::min(oldest, asked[i].back().begin);
      // Other tests use the machine as well.
      std::this_thread::sleep_for(100us);
    }
  }
}

void FleetChanges::judge(const Change& change, const Made& made, bool here,
                         const std::vector<Question>& asked) {
  const auto allowed = here ? 0ns : std::chrono::nanoseconds{kT};
  BootTime first = test::kNever;
  std::size_t too_old = 0;
  std::size_t too_early = 0;
  for (const auto& question : asked) {
    if (question.hit) ++hits_;
    if (question.knew) first = std::min(first, question.begin);
    if (question.knew && question.end < made.sent) ++too_early;
    if (!question.knew && question.begin > made.acknowledged + allowed) ++too_old;
  }
  EXPECT_EQ(too_old, 0U) << test::kBroken << change.name
                         << ": not known to requests that came too late for that";
  EXPECT_EQ(too_early, 0U) << change.name << ": the question does not tell old from new";
  ASSERT_NE(first, test::kNever) << change.name << " was never seen";
  latest_ = std::max<std::chrono::nanoseconds>(latest_, first - made.sent);
}

void FleetChanges::make_and_watch(const std::vector<Change>& changes, std::size_t writer) {
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    auto client = fleet_.client(i);
    for (const auto& change : changes) {
      EXPECT_FALSE(change.knows(client.send(change.question))) << change.name;
    }
  }
  std::atomic<BootTime> until{BootTime::max()};
  std::vector<Made> made(changes.size());
  std::vector asked(fleet_.size(), std::vector<std::vector<Question>>(changes.size()));
  {
    std::vector<std::jthread> people;
    for (std::size_t i = 0; i < fleet_.size(); ++i) {
      people.emplace_back([&, i] { ask(i, changes, until, asked[i]); });
    }
    auto client = fleet_.client(writer % fleet_.size());
    for (std::size_t i = 0; i < changes.size(); ++i) {
      make(changes[i], writer < fleet_.size() ? &client : nullptr, made[i]);
    }
    // An instance may answer with the change and later, within T, without it.
    until = made.back().acknowledged + kT + 200ms;
  }
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    SCOPED_TRACE("instance " + std::to_string(i) + ", changed by " + std::to_string(writer));
    for (std::size_t n = 0; n < changes.size(); ++n) {
      judge(changes[n], made[n], i == writer, asked[i][n]);
    }
  }
}

TEST_P(FleetChanges, MadeAtOneInstanceAreSeenByAll) {
  for (std::size_t writer = 0; writer < fleet_.size(); ++writer) {
    make_and_watch(changes_through_the_service(), writer);
  }
  EXPECT_GT(hits_, 200U) << "a run without answers from memory is no evidence";
  note_figure("seen by all", latest_);
}

TEST_P(FleetChanges, MadeByAnotherProgramAreSeenByAll) {
  for (int round = 0; round < 2; ++round) {
    fleet_.stage().add({"renamed", "banned", "gone", "thrown_out"});
    const auto sql = [&](const std::string& name, const std::string& statement,
                         HttpRequest question, std::function<bool(const HttpResponse&)> knows) {
      return Change{.name = name,
                    .change = {},
                    .sql = fleet_.stage().fill_in(statement),
                    .question = std::move(question),
                    .knows = std::move(knows)};
    };
    make_and_watch({sql("renamed", "UPDATE users SET first_name = 'Sql' WHERE id = <renamed>",
                        get("renamed"), says("/first_name", "Sql")),
                    sql("banned", "UPDATE users SET is_active = false WHERE id = <banned>",
                        me("banned"), status_is(401)),
                    sql("gone", "DELETE FROM users WHERE id = <gone>", get("gone"), status_is(404)),
                    sql("thrown_out", "DELETE FROM sessions WHERE user_id = <thrown_out>",
                        me("thrown_out"), status_is(401))},
                   fleet_.size());
  }
  EXPECT_GT(hits_, 200U) << "a run without answers from memory is no evidence";
  note_figure("seen by all", latest_);
}

INSTANTIATE_TEST_SUITE_P(, FleetChanges, ::testing::ValuesIn(fleets_with_and_without_redis()),
                         name_of_fleet);

}  // namespace
}  // namespace um::e2e
