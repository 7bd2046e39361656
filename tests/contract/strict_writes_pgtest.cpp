// Strict writes of several instances on a real server: each instance is a storage with its feed and
// the protocol state of its memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/coherence.hpp"
#include "storage/cache_key.hpp"
#include "storage/postgres/storage.hpp"
#include "storage/postgres/strict_terms.hpp"
#include "support/patience.hpp"
#include "support/postgres_database.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;
using test::run;

constexpr auto kBound = 300ms;  // T

class Instance {
 public:
  // serving: answers from memory, and is registered. command: has no feed.
  enum class As { serving, command };
  Instance(const std::string& url, const Clock& clock, As as = As::serving,
           Consistency mode = Consistency::strict)
      : clock_{clock} {
    auto opened = open_postgres({.url = Secret{url},
                                 .clock = &clock,
                                 .look_up_timeout = 20s,
                                 .statement_timeout = 20s,
                                 .poll_interval = 20ms,
                                 .times = {.mode = mode, .staleness_bound = kBound}});
    if (!opened) throw std::runtime_error{opened.error().detail};
    storage_ = std::move(*opened);
    if (as == As::serving) serve();
  }
  ~Instance() { storage_->changes().stop(); }

  // Until this process knows that no lease from before it can be alive.
  void settle_in() {
    const BootTime until = clock_.now() + longest_lease(kBound);
    if (!eventually([&] { return clock_.now() > until; })) throw std::runtime_error{"time"};
  }

  Result<UserRef> rename(UserId id, std::string name) {
    return run(storage_->users().update({.id = id, .change = {.first_name = std::move(name)}},
                                        Deadline{BootClock::now() + 20s}));
  }
  Result<UserRef> add(std::string_view address) {
    return run(storage_->users().insert({.email = Email::parse(address).value()},
                                        Deadline{BootClock::now() + 20s}));
  }
  void keep_up() { ASSERT_TRUE(run(storage_->upkeep(Deadline{BootClock::now() + 20s}))); }
  // The value of user `id` as memory would answer it now; reads it into memory first if need be.
  std::string answer(UserId id) {
    const CacheKey key = CacheKey::of(id);
    if (memory_.lease_valid(clock_.now())) {
      const auto known = memory_.look_up(key.view());
      if (known && std::holds_alternative<UserRef>(*known))
        return std::get<UserRef>(*known)->user.first_name;
    }
    const auto reading = run(storage_->users().find(id, {})).value();
    memory_.admit(key.view(), reading.stamp, reading.value);
    return reading.value->user.first_name;
  }
  std::uint64_t written(std::string_view way) { return metric("strict_writes_total", way); }
  std::uint64_t metric(std::string_view name, std::string_view label = {}) {
    for (const PublishedNumber& number : storage_->stats().client)
      if (number.text.name == name && (label.empty() || number.labels.at(0).value == label))
        return number.value;
    throw std::runtime_error{"no such metric"};
  }
  Coherence& memory() { return memory_; }
  Storage& storage() { return *storage_; }

 private:
  void serve() {
    storage_->changes().start(memory_);
    if (!eventually([&] { return memory_.lease_valid(clock_.now()); }))
      throw std::runtime_error{"no lease"};
  }

  const Clock& clock_;
  std::unique_ptr<Storage> storage_;
  Coherence memory_{
      {.staleness_bound = kBound, .registry_bound = 6s, .capacity_bytes = std::size_t{1} << 20}};
};

class PostgresStrictWritesTest : public ::testing::Test {
 protected:
  PostgresStrictWritesTest() {
    db_.execute(
        "UPDATE cache_settings SET staleness_bound_ms = 300, former_staleness_bound_ms = 300");
  }
  std::int64_t holds() { return db_.integer("SELECT count(*) FROM cache_holds"); }

  const test::TestDatabase database_;
  BlockingConnection db_ = database_.session();
  const SystemClock clock_;
};

TEST_F(PostgresStrictWritesTest, AnInstanceThatIsAloneNeedsNoHold) {
  Instance one{database_.url(), clock_};
  one.settle_in();
  const UserId id = one.add("a@x.org").value()->user.id;
  ASSERT_TRUE(one.rename(id, "A"));
  EXPECT_EQ(one.written("alone"), 2U);
  EXPECT_EQ(one.written("waited"), 0U);
  EXPECT_EQ(db_.integer("SELECT count(*) FROM cache_acks"), 0);
}

TEST_F(PostgresStrictWritesTest, AfterAWriteNoInstanceAnswersTheOldValue) {
  Instance one{database_.url(), clock_};
  Instance two{database_.url(), clock_};
  one.settle_in();
  const UserId id = one.add("a@x.org").value()->user.id;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "n" + std::to_string(i);
    EXPECT_EQ(two.answer(id), i == 0 ? "" : "n" + std::to_string(i - 1));
    ASSERT_TRUE(one.rename(id, name));
    ASSERT_EQ(two.answer(id), name);
    ASSERT_EQ(one.answer(id), name);
  }
  EXPECT_GT(one.written("acknowledged"), 15U);
  EXPECT_EQ(holds(), 0);
}

// An instance that does not answer holds a write up for T, and no longer.
TEST_F(PostgresStrictWritesTest, ASilentInstanceIsWaitedForUntilItsLeaseHasEnded) {
  Instance one{database_.url(), clock_};
  one.settle_in();
  const UserId id = one.add("a@x.org").value()->user.id;
  db_.text("SELECT join_instances(gen_random_uuid(), NULL, 1, 'silent')");
  const BootTime began = clock_.now();
  ASSERT_TRUE(one.rename(id, "A"));
  EXPECT_GE(clock_.now() - began, kBound);
  EXPECT_EQ(one.written("waited"), 1U);
  EXPECT_EQ(one.metric("strict_write_gates_not_yet_total"), 1U) << "it took itself to be alone";
}

// A storage without a feed is that of the command line.
TEST_F(PostgresStrictWritesTest, TheCommandLineWaitsAndThenWhatItSaysIsTrue) {
  Instance one{database_.url(), clock_};
  one.settle_in();
  const UserId id = one.add("a@x.org").value()->user.id;
  EXPECT_EQ(one.answer(id), "");
  Instance command{database_.url(), clock_, Instance::As::command};
  const BootTime began = clock_.now();
  ASSERT_TRUE(command.rename(id, "A"));
  EXPECT_GE(clock_.now() - began, kBound);
  EXPECT_EQ(one.answer(id), "A");
  EXPECT_EQ(command.written("waited"), 1U);
}

TEST_F(PostgresStrictWritesTest, AWriteThatIsRefusedLeavesNoHoldBehind) {
  Instance one{database_.url(), clock_};
  Instance two{database_.url(), clock_};
  ASSERT_TRUE(one.add("a@x.org"));
  const auto taken = one.add("a@x.org");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::email_taken);
  EXPECT_EQ(holds(), 2) << "the id and the address";
  one.keep_up();
  EXPECT_EQ(holds(), 0);
  EXPECT_EQ(one.metric("strict_write_abandoned_holds_total"), 1U);
}

TEST_F(PostgresStrictWritesTest, AnOldRowCostsAnotherAttemptAndNoOtherHold) {
  Instance one{database_.url(), clock_};
  Instance two{database_.url(), clock_};
  const UserRef old = one.add("a@x.org").value();
  ASSERT_TRUE(one.rename(old->user.id, "A"));
  const auto changed = run(
      one.storage().users().update({.id = old->user.id, .change = {.last_name = "B"}, .known = old},
                                   Deadline{BootClock::now() + 20s}));
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)->user.first_name, "A");
  EXPECT_EQ((*changed)->user.last_name, "B");
  EXPECT_EQ(one.metric("strict_write_lost_races_total"), 1U);
  EXPECT_EQ(one.metric("strict_write_abandoned_holds_total"), 0U);
}

TEST_F(PostgresStrictWritesTest, ManyWritersOfOneUserAllSucceedInTurn) {
  Instance one{database_.url(), clock_};
  Instance two{database_.url(), clock_};
  one.settle_in();
  two.settle_in();
  const UserId id = one.add("a@x.org").value()->user.id;
  std::vector<Task<Result<UserRef>>> writes;
  for (int i = 0; i < 20; ++i) {
    Instance& instance = i % 2 == 0 ? one : two;
    UpdateUser update{.id = id};
    update.plan = [](const UserRecord& row) -> Result<UserChange> {
      return UserChange{.first_name = row.user.first_name + "!"};
    };
    writes.push_back(
        instance.storage().users().update(std::move(update), Deadline{BootClock::now() + 60s}));
  }
  for (const auto& written : test::run_all(std::move(writes)))
    EXPECT_TRUE(written) << written.error().detail;
  EXPECT_EQ(one.answer(id), std::string(20, '!'));
  EXPECT_EQ(two.answer(id), std::string(20, '!'));
}

TEST_F(PostgresStrictWritesTest, AnInstanceWhoseDeploymentChangesRefusesWritesAndAnswersNothing) {
  Instance one{database_.url(), clock_};
  one.settle_in();
  const UserId id = one.add("a@x.org").value()->user.id;
  db_.execute("UPDATE cache_settings SET staleness_bound_ms = 400; SELECT bump_cache_epoch()");
  EXPECT_TRUE(eventually([&] { return db_.integer("SELECT count(*) FROM cache_instances") == 0; }));
  const auto refused = one.rename(id, "A");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_FALSE(one.memory().lease_valid(clock_.now()));
}

TEST_F(PostgresStrictWritesTest, AnInstanceThatStopsLeavesTheRegistry) {
  {
    Instance one{database_.url(), clock_};
    EXPECT_EQ(db_.integer("SELECT count(*) FROM cache_instances"), 1);
  }
  EXPECT_EQ(db_.integer("SELECT count(*) FROM cache_instances"), 0);
}

TEST_F(PostgresStrictWritesTest, InModeBoundedNoWriteWaitsAndTheOthersFollowWithinT) {
  db_.execute("UPDATE cache_settings SET mode = 'bounded'");
  Instance one{database_.url(), clock_, Instance::As::serving, Consistency::bounded};
  Instance two{database_.url(), clock_, Instance::As::serving, Consistency::bounded};
  const UserId id = one.add("a@x.org").value()->user.id;
  EXPECT_EQ(two.answer(id), "");
  ASSERT_TRUE(one.rename(id, "A"));
  EXPECT_EQ(one.answer(id), "A") << "at once";
  const BootTime bound = clock_.now() + kBound;
  EXPECT_TRUE(eventually([&] { return clock_.now() > bound; }));
  EXPECT_EQ(two.answer(id), "A");
  EXPECT_EQ(one.written("bounded"), 2U);
  EXPECT_EQ(holds(), 0);
}

// A deployment whose T was longer once does not wait for that long for ever.
TEST_F(PostgresStrictWritesTest, TheFormerBoundIsForgottenWhenNoLeaseOfItIsAlive) {
  db_.execute("UPDATE cache_settings SET former_staleness_bound_ms = 400");
  const auto former = [&] {
    return db_.integer("SELECT former_staleness_bound_ms FROM cache_settings");
  };
  const BootTime begin = clock_.now();
  Instance one{database_.url(), clock_};
  one.keep_up();
  const std::int64_t kept = former();
  EXPECT_TRUE(kept == 400 || clock_.now() > begin + 400ms);
  EXPECT_TRUE(eventually([&] {
    one.keep_up();
    return former() == kBound.count();
  }));
}

TEST_F(PostgresStrictWritesTest, TheCommandLineWaitsInModeBoundedToo) {
  db_.execute("UPDATE cache_settings SET mode = 'bounded'");
  Instance serving{database_.url(), clock_, Instance::As::serving, Consistency::bounded};
  const UserId id = serving.add("a@x.org").value()->user.id;
  EXPECT_EQ(serving.answer(id), "");
  Instance command{database_.url(), clock_, Instance::As::command, Consistency::bounded};
  ASSERT_TRUE(command.rename(id, "A"));
  EXPECT_EQ(serving.answer(id), "A");
}

// Both kinds of registration are gone with the server's memory, and the next write is safe again.
TEST_F(PostgresStrictWritesTest, ANewNamespaceStartsFromNothing) {
  Instance one{database_.url(), clock_};
  Instance two{database_.url(), clock_};
  const UserId id = one.add("a@x.org").value()->user.id;
  db_.execute("SELECT bump_cache_epoch()");
  for (int i = 0; i < 5; ++i) {
    const std::string name = "n" + std::to_string(i);
    const auto renamed = one.rename(id, name);
    ASSERT_TRUE(renamed) << renamed.error().detail;
    ASSERT_EQ(two.answer(id), name);
  }
}

}  // namespace
}  // namespace um
