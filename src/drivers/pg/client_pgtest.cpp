// A Client against a real server: look-ups, scans and single writes.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_group.hpp"
#include "drivers/pg/query.hpp"
#include "support/pg_client.hpp"
#include "support/postgres_database.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;
using pg::testing::in;
using pg::testing::kOne;
using pg::testing::kSlow;
using pg::testing::patient;

constexpr Query kEcho{.name = "echo",
                      .sql =
                          "select $1::bigint, $2::text, $3::boolean, $4::text, $5::bytea,"
                          " $6::timestamptz, $7::text[]"};
constexpr Query kZero{.name = "zero", .sql = "select 1/0"};
constexpr Query kPid{.name = "pid", .sql = "select pg_backend_pid()"};
constexpr Query kAll{.name = "all", .sql = "select * from things order by 1"};
constexpr Query kInsert{.name = "insert", .sql = "insert into things (name) values ($1)"};

class ClientPgTest : public ::testing::Test {
 protected:
  ClientPgTest() { database_.session().execute(testing::kThings); }
  Options options() const {
    Options options;
    options.url = Secret{database_.url()};
    options.application_name = "pgtest";
    options.queries = {&kOne, &kZero, &kAll};
    return options;
  }
  static Outcome<Rows> look_up(Client& client, const Query& query, Params params = {},
                               Deadline deadline = patient()) {
    return test::run(client.look_up(query, std::move(params), deadline));
  }

  test::TestDatabase database_{test::TestDatabase::Content::empty};
};

TEST_F(ClientPgTest, ParametersOfEveryTypeComeBack) {
  Client client{options()};
  const std::string bytes{"\x00\xff\\'", 4};
  const std::vector<std::string> texts{"a\"b", "", "c\\,{}"};
  const auto rows = look_up(client, kEcho,
                            {-5, "née", true, std::nullopt, Bytes{bytes},
                             "2024-01-02 03:04:05.678901+02", text_array(texts)});
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->integer(0, 0), -5);
  EXPECT_EQ(rows->text(0, 1), "née");
  EXPECT_TRUE(rows->boolean(0, 2));
  EXPECT_TRUE(rows->null(0, 3));
  EXPECT_EQ(rows->bytes(0, 4), bytes);
  EXPECT_EQ(rows->text(0, 5), "2024-01-02 01:04:05.678901+00");
  EXPECT_EQ(rows->text(0, 6), R"({"a\"b","","c\\,{}"})");
}

TEST_F(ClientPgTest, ATextWithANulIsRefusedWithoutBeingSent) {
  using namespace std::string_view_literals;
  Client client{options()};
  const auto rows = look_up(client, kInsert, {"a\0b"sv});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sqlstate, "22021");
}

TEST_F(ClientPgTest, ManyLookUpsShareFewConnections) {
  Client client{options()};
  const auto outcomes = testing::look_up_all(client, std::vector<const Query*>(500, &kOne));
  for (const auto& outcome : outcomes) ASSERT_TRUE(outcome) << outcome.error().message;
  const auto stats = client.stats();
  EXPECT_LE(stats.look_ups.opened, 4U);
  EXPECT_EQ(stats.scans.opened, 0U);
  EXPECT_EQ(stats.transactions.opened, 0U);
  const auto* counters =
      client.query_stats().all().contains(&kOne) ? &client.query_stats().all().at(&kOne) : nullptr;
  ASSERT_NE(counters, nullptr);
  EXPECT_EQ(counters->calls.load(), 500U);
  EXPECT_EQ(counters->errors.load(), 0U);
}

TEST_F(ClientPgTest, OneThatFailsHarmsNoNeighbour) {
  Client client{options()};
  std::vector<const Query*> mixed;
  for (int i = 0; i < 100; ++i) mixed.push_back(i % 3 == 0 ? &kZero : &kOne);
  const auto outcomes = testing::look_up_all(client, mixed);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (i % 3 == 0) {
      ASSERT_FALSE(outcomes[i]);
      EXPECT_EQ(outcomes[i].error().kind, Failure::refused);
      EXPECT_EQ(outcomes[i].error().sqlstate, "22012");
    } else {
      ASSERT_TRUE(outcomes[i]) << i << outcomes[i].error().message;
    }
  }
}

TEST_F(ClientPgTest, TheSessionNoteIsTakenWhenAConnectionIsOpened) {
  auto tuned = options();
  tuned.on_connect = {"set search_path = public", "select 'note of ' || pg_backend_pid()"};
  Client client{std::move(tuned)};
  const auto rows = look_up(client, kPid);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_NE(rows->session_note(), nullptr);
  EXPECT_EQ(*rows->session_note(), "note of " + std::string{rows->text(0, 0)});
  Client without{options()};
  EXPECT_EQ(look_up(without, kOne)->session_note(), nullptr);
}

TEST_F(ClientPgTest, LookUpsSurviveWhatInvalidatesTheirPreparedStatements) {
  auto tuned = options();
  tuned.look_up_connections = 1;
  Client client{std::move(tuned)};
  ASSERT_TRUE(look_up(client, kAll));
  auto session = database_.session();
  session.execute("alter table things add column extra text default 'new'");
  for (const auto& outcome : testing::look_up_all(client, std::vector<const Query*>(20, &kAll))) {
    ASSERT_TRUE(outcome) << outcome.error().sqlstate;
    EXPECT_EQ(outcome->columns(), 3U);
  }
  static constexpr Query kForget{.name = "forget", .sql = "deallocate all"};
  ASSERT_TRUE(look_up(client, kForget));
  for (const auto& outcome : testing::look_up_all(client, std::vector<const Query*>(20, &kAll))) {
    ASSERT_TRUE(outcome) << outcome.error().sqlstate;
  }
  session.execute("drop table things");
  const auto gone = look_up(client, kAll);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().sqlstate, "42P01");
  EXPECT_GE(client.stats().look_ups.repeated, 2U);
  EXPECT_EQ(client.stats().look_ups.opened, 1U);
}

TEST_F(ClientPgTest, TheServerEndsASlowLookUp) {
  auto tuned = options();
  tuned.look_up_timeout = 30ms;
  Client client{std::move(tuned)};
  const auto rows = look_up(client, kSlow);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, Failure::timeout);
  EXPECT_EQ(rows.error().sqlstate, "57014");
  EXPECT_TRUE(look_up(client, kOne));
  EXPECT_EQ(client.stats().look_ups.lost, 0U);
}

TEST_F(ClientPgTest, ACallIsAnsweredAtItsDeadlineAndItsLateResultDiscarded) {
  static constexpr Query kNap{.name = "nap", .sql = "select pg_sleep(0.1), 'late'"};
  auto tuned = options();
  tuned.look_up_connections = 1;
  Client client{std::move(tuned)};
  ASSERT_TRUE(look_up(client, kOne));
  const auto before = BootClock::now();
  const auto rows = look_up(client, kNap, {}, in(20ms));
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, Failure::timeout);
  EXPECT_LT(BootClock::now() - before, 90ms);
  const auto next = look_up(client, kOne);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->text(0, 0), "1");
  EXPECT_EQ(client.stats().look_ups.opened, 1U);
}

TEST_F(ClientPgTest, ADeadlineThatPassedIsATimeoutWithoutAConnection) {
  Client client{options()};
  const auto rows = look_up(client, kOne, {}, Deadline{BootTime{}});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, Failure::timeout);
  EXPECT_EQ(client.stats().look_ups.opened, 0U);
}

TEST_F(ClientPgTest, AScanDelaysNoLookUp) {
  static constexpr Query kNap{.name = "nap", .sql = "select pg_sleep(0.3)"};
  boost::asio::io_context loop{1};
  Client client{options(), {&loop}};
  std::vector<std::string> order;
  const auto scan = [&]() -> Task<void> {
    const auto rows = co_await client.scan(kNap, {}, patient());
    EXPECT_TRUE(rows);
    order.emplace_back("scan");
    if (order.size() == 2) client.stop();
  };
  const auto look_up = [&]() -> Task<void> {
    const auto rows = co_await client.look_up(kOne, {}, patient());
    EXPECT_TRUE(rows);
    order.emplace_back("look-up");
    if (order.size() == 2) client.stop();
  };
  TaskGroup tasks;
  tasks.spawn(loop.get_executor(), scan());
  tasks.spawn(loop.get_executor(), look_up());
  loop.run();
  EXPECT_THAT(order, ::testing::ElementsAre("look-up", "scan"));
}

TEST_F(ClientPgTest, CallersResumeOnTheirOwnExecutor) {
  boost::asio::io_context loop{1};
  auto work = boost::asio::make_work_guard(loop);
  std::thread thread{[&] { loop.run(); }};
  {
    Client client{options(), {&loop}};
    const auto here = std::this_thread::get_id();
    const auto from_elsewhere = [&]() -> Task<bool> {
      const auto rows = co_await client.look_up(kOne, {}, patient());
      co_return rows.has_value() && std::this_thread::get_id() == here;
    };
    EXPECT_TRUE(test::run(from_elsewhere()));
    client.stop();
  }
  work.reset();
  thread.join();
}

TEST_F(ClientPgTest, ACancelledCallEndsAtOnceAndItsConnectionGoesOn) {
  auto tuned = options();
  tuned.look_up_connections = 1;
  tuned.look_up_timeout = 100ms;
  boost::asio::io_context loop{1};
  Client client{std::move(tuned), {&loop}};
  boost::asio::cancellation_signal signal;
  std::optional<Failure::Kind> kind;
  const auto wait = [&]() -> Task<void> {
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    const auto rows = co_await client.look_up(kSlow, {}, patient());
    if (!rows) kind = rows.error().kind;
  };
  const auto cancel = [&]() -> Task<void> {
    const auto first = co_await client.look_up(kOne, {}, patient());
    EXPECT_TRUE(first);
    signal.emit(boost::asio::cancellation_type::terminal);
    const auto rows = co_await client.look_up(kOne, {}, patient());
    EXPECT_TRUE(rows);
    EXPECT_EQ(kind, Failure::timeout);
    client.stop();
  };
  const auto ended = [](const std::exception_ptr&) {};
  boost::asio::co_spawn(loop, cancel(), ended);
  boost::asio::co_spawn(loop, wait(), boost::asio::bind_cancellation_slot(signal.slot(), ended));
  loop.run();
  EXPECT_EQ(kind, Failure::timeout);
  EXPECT_EQ(client.stats().look_ups.opened, 1U);
}

TEST_F(ClientPgTest, ALookUpWhoseBackendIsTerminatedIsLostAndTheNextOneWorks) {
  static constexpr Query kSuicide{.name = "suicide",
                                  .sql = "select pg_terminate_backend(pg_backend_pid())"};
  auto tuned = options();
  tuned.look_up_connections = 1;
  Client client{std::move(tuned)};
  const auto first = look_up(client, kPid);
  ASSERT_TRUE(first);
  const auto rows = look_up(client, kSuicide);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, Failure::lost);
  const auto second = look_up(client, kPid);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(first->text(0, 0), second->text(0, 0));
}

TEST_F(ClientPgTest, AWriteIsCommittedAndItsViolationNamesTheConstraint) {
  Client client{options()};
  const auto made = test::run(client.write(kInsert, {"a"}, patient()));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->affected(), 1U);
  const auto again = test::run(client.write(kInsert, {"a"}, patient()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Failure::refused);
  EXPECT_EQ(again.error().sqlstate, "23505");
  EXPECT_EQ(again.error().constraint, "things_name");
  EXPECT_EQ(look_up(client, kAll)->size(), 1U);
}

TEST_F(ClientPgTest, AViolationThatTheCommitOfAWriteFindsIsRefused) {
  database_.session().execute(
      "alter table things drop constraint things_name, add constraint things_name"
      " unique (name) deferrable initially deferred");
  Client client{options()};
  ASSERT_TRUE(test::run(client.write(kInsert, {"a"}, patient())));
  const auto again = test::run(client.write(kInsert, {"a"}, patient()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Failure::refused);
  EXPECT_EQ(again.error().sqlstate, "23505");
  EXPECT_EQ(look_up(client, kAll)->size(), 1U);
}

TEST_F(ClientPgTest, AReadOnlyServerRefusesWrites) {
  auto tuned = options();
  tuned.on_connect = {"set default_transaction_read_only = on"};
  Client client{std::move(tuned)};
  const auto made = test::run(client.write(kInsert, {"a"}, patient()));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, Failure::refused);
  EXPECT_EQ(made.error().sqlstate, "25006");
  EXPECT_EQ(to_error(made.error()).code, ErrorCode::unavailable);
}

TEST_F(ClientPgTest, FewerConnectionsThanWantedAreEnough) {
  const std::string role = "limited_" + database_.name();
  auto admin = database_.admin();
  admin.execute("create role " + role + " login connection limit 1");
  auto tuned = options();
  tuned.url = Secret{database_.url_as(role)};
  tuned.backoff_first = 1ms;
  tuned.backoff_most = 2ms;
  {
    Client client{std::move(tuned)};
    ASSERT_TRUE(look_up(client, kOne));
    const auto outcomes = testing::look_up_all(client, std::vector<const Query*>(200, &kOne));
    for (const auto& outcome : outcomes) ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(client.stats().look_ups.opened, 1U);
  }
  admin.execute("drop role " + role);
}

TEST_F(ClientPgTest, LargeResultsAndParametersGoThrough) {
  static constexpr Query kLarge{.name = "large",
                                .sql = "select repeat($1, 200) from generate_series(1, 20)"};
  Client client{options()};
  const std::string text(10'000, 'x');
  const auto rows = test::run(client.scan(kLarge, {text}, patient()));
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 20U);
  EXPECT_EQ(rows->text(19, 0).size(), 2'000'000U);
}

TEST_F(ClientPgTest, SessionsAreSetUpAsTheOptionsSay) {
  static constexpr Query kSettings{
      .name = "settings",
      .sql =
          "select current_setting('statement_timeout'), current_setting('application_name'),"
          " current_setting('idle_in_transaction_session_timeout'),"
          " current_setting('client_encoding'), current_setting('timezone')"};
  Client client{options()};
  const auto look_up_settings = look_up(client, kSettings);
  ASSERT_TRUE(look_up_settings);
  EXPECT_EQ(look_up_settings->text(0, 0), "500ms");
  EXPECT_EQ(look_up_settings->text(0, 1), "pgtest");
  EXPECT_EQ(look_up_settings->text(0, 2), "5s");
  EXPECT_EQ(look_up_settings->text(0, 3), "UTF8");
  EXPECT_EQ(look_up_settings->text(0, 4), "UTC");
  const auto scan_settings = test::run(client.scan(kSettings, {}, patient()));
  ASSERT_TRUE(scan_settings);
  EXPECT_EQ(scan_settings->text(0, 0), "2s");
}

}  // namespace
}  // namespace um::pg
