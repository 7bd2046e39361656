// Every fault once, and then several at a time in a random order, under clients of all instances:
// no read breaks the promise of strict writes, and afterwards everything works again. The output
// has a table of what each fault costs (docs/consistency.md).
#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "chaos/arena.hpp"
#include "support/promise.hpp"

namespace um::e2e {
namespace {

// threads × (2 × database-connections + 1) + 2: docs/operations/postgresql.md
constexpr std::int64_t kBackendsOfOne = 2 * (2 * 4 + 1) + 2;

std::string milliseconds(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::round<std::chrono::milliseconds>(time).count());
}

// Silences in milliseconds: at the instance that was silent for longest, and at all at the same
// time.
constexpr const char* kHead =
    "| fault | reads | no reads, one | no reads, all | writes | no writes, one | no writes, all | "
    "stale reads | backends |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n";

std::string row(const Round& round) {
  std::ostringstream text;
  text << "| " << round.faults << " | " << round.reads << " | "
       << milliseconds(round.silent_reads.anywhere) << " | "
       << milliseconds(round.silent_reads.everywhere) << " | " << round.writes << " | "
       << milliseconds(round.silent_writes.anywhere) << " | "
       << milliseconds(round.silent_writes.everywhere) << " | " << round.stale.size() << " | "
       << round.backends << " |\n";
  return text.str();
}

void expect_kept(const Round& round, Fleet& fleet) {
  EXPECT_EQ(round.stale.size(), 0U) << test::kBroken << round.faults << ": " << round.stale.front();
  for (const auto& trouble : round.trouble) ADD_FAILURE() << trouble << "\n" << fleet.output();
  EXPECT_GT(round.hits, 50U) << "a run without answers from memory is no evidence";
  EXPECT_LE(round.backends, kBackendsOfOne * static_cast<std::int64_t>(fleet.size()));
}

void print(const Activity& activity, std::ostream& out) {
  out << "hits during a write of the same register: " << activity.hits_during_writes
      << "\nwrites while a snapshot was held open: " << activity.writes_under_snapshot << "\n";
  for (const auto& [title, count] : activity.counters) out << title << ": " << count << "\n";
}

void expect_substance(const Activity& activity) {
  EXPECT_GT(activity.hits_during_writes, 0U);
  for (const auto& [title, count] : activity.counters) EXPECT_GT(count, 0) << title;
}

// tools/chaos sets UM_CHAOS_FAULTS=all. Without it a few that take seconds on any machine: the
// whole suite takes longer than everything else that the gate runs.
std::vector<Fault> faults_to_take() {
  std::vector<Fault> faults = all_faults();
  if (std::getenv("UM_CHAOS_FAULTS") != nullptr) return faults;  // NOLINT(concurrency-mt-unsafe)
  static const std::set<std::string> kShort{"no fault",
                                            "an instance is stopped (SIGSTOP)",
                                            "a writer is stopped between hold and commit",
                                            "connections to PostgreSQL are cut",
                                            "Redis is emptied",
                                            "a long transaction in the database"};
  std::erase_if(faults, [](const Fault& fault) { return !kShort.contains(fault.name); });
  return faults;
}

class EveryFault : public ::testing::TestWithParam<Fault> {
 protected:
  static void SetUpTestSuite() { arena_ = std::make_unique<Arena>(Arena::Options{}); }
  static void TearDownTestSuite() {
    std::cout << kHead << table_;
    print(arena_->activity(), std::cout);
    if (rounds_ == all_faults().size()) expect_substance(arena_->activity());
    arena_.reset();
  }

  inline static std::unique_ptr<Arena> arena_;
  inline static std::string table_;
  inline static std::size_t rounds_ = 0;
};

TEST_P(EveryFault, LeavesNoStaleRead) {
  const auto round = arena_->run({GetParam()});
  table_ += row(round);
  ++rounds_;
  std::cout << row(round);
  expect_kept(round, arena_->fleet());
}

std::string name_of(const ::testing::TestParamInfo<Fault>& info) {
  std::string name;
  bool begins_word = true;
  for (const char letter : info.param.name) {
    const bool belongs = std::isalnum(static_cast<unsigned char>(letter)) != 0;
    if (belongs)
      name += static_cast<char>(begins_word ? std::toupper(static_cast<unsigned char>(letter))
                                            : letter);
    begins_word = !belongs;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(, EveryFault, ::testing::ValuesIn(faults_to_take()), name_of);

TEST(Chaos, AFullDiskLeavesNoStaleRead) {
  Arena arena{{.disk = Arena::Options::Disk::small}};
  if (!arena.disk().mounted()) GTEST_SKIP() << "NOT TESTED: only root can mount a small disk";
  const auto round = arena.run({full_disk()});
  std::cout << kHead << row(round);
  expect_kept(round, arena.fleet());
}

bool exclude_each_other(Fault::Part a, Fault::Part b) {
  using enum Fault::Part;
  const auto is_database = [](Fault::Part part) { return part == server || part == data; };
  return a == b || (is_database(a) && is_database(b)) || (is_database(a) && b == network) ||
         (a == network && is_database(b));
}

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? otherwise : std::stoull(text);
}

// UM_CHAOS_SECONDS, UM_CHAOS_SEED and UM_CHAOS_ROWS: tools/chaos sets them.
TEST(Chaos, SeveralFaultsAtATimeLeaveNoStaleRead) {
  const std::chrono::seconds lasts{number_from("UM_CHAOS_SECONDS", 0)};
  if (lasts.count() == 0) GTEST_SKIP() << "NOT TESTED: only by tools/chaos --minutes N";
  const auto seed = number_from("UM_CHAOS_SEED", 1);
  std::cout << "seed " << seed << "\n";
  Arena arena{
      {.bulk_rows = static_cast<std::int64_t>(number_from("UM_CHAOS_ROWS", 5000)), .seed = seed}};
  std::mt19937_64 random{seed};
  const auto faults = all_faults();
  std::map<std::string, std::size_t> chosen;
  std::size_t rounds = 0;
  std::cout << kHead;
  for (const auto end = BootClock::now() + lasts;
       BootClock::now() < end && !::testing::Test::HasFailure(); ++rounds) {
    std::vector<Fault> some{faults[random() % faults.size()]};
    for (auto tries = random() % 8; tries > 0; --tries) {
      const auto& more = faults[random() % faults.size()];
      if (std::ranges::none_of(
              some, [&](const Fault& one) { return exclude_each_other(one.part, more.part); }))
        some.push_back(more);
    }
    const auto round = arena.run(some);
    for (const auto& fault : some) ++chosen[fault.name];
    std::cout << row(round) << std::flush;
    expect_kept(round, arena.fleet());
  }
  print(arena.activity(), std::cout);
  std::cout << rounds << " rounds with " << chosen.size() << " of " << faults.size()
            << " kinds of faults\n";
  if (chosen.size() == faults.size()) expect_substance(arena.activity());
}

}  // namespace
}  // namespace um::e2e
