#include "chaos/load.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <gtest/gtest.h>

#include "support/invariants.hpp"
#include "support/json.hpp"
#include "support/promise.hpp"

namespace um::e2e {
namespace {

std::string next_series() {
  static std::atomic<int> count{0};
  return "load" + std::to_string(++count);
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string list = "''";
  for (const auto& text : texts) list += ", '" + text + "'";
  return list;
}

// Waits until each of the counts has grown by `more`.
bool grow(const std::vector<std::atomic<std::uint64_t>>& counts, std::uint64_t more) {
  return std::ranges::all_of(counts, [&](const auto& count) {
    const auto wanted = count + more;
    return eventually([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
      return count >= wanted;
    });
  });
}

}  // namespace

Load::Load(Fleet& fleet, Options options)
    : fleet_{fleet},
      options_{options},
      series_{next_series()},
      writers_{options.writers_per_instance * fleet.size()},
      written_(fleet.size()),
      refused_reads_(fleet.size()),
      notes_(writers_ + fleet.size()) {
  for (std::size_t i = 0; i < writers_; ++i) {
    fleet_.stage().add(Person{.name = writer_name(i), .first_name = "0"});
  }
  for (std::size_t i = 0; i < writers_; ++i) {
    for (const auto& request : reads_of(i)) EXPECT_TRUE(fleet_.warm_up(request));
  }
  for (std::size_t i = 0; i < writers_; ++i) {
    people_.emplace_back([this, i](const std::stop_token& stop) {
      write(stop, {.number = i, .instance = i % fleet_.size()}, notes_[i]);
    });
  }
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    people_.emplace_back(
        [this, i](const std::stop_token& stop) { read(stop, i, notes_[writers_ + i]); });
  }
}

Load::~Load() {
  stop();
}

std::vector<HttpRequest> Load::reads_of(std::size_t writer) const {
  return {fleet_.as("admin", "GET /user/<" + writer_name(writer) + ">"),
          fleet_.as("admin", "GET /users/by-email/<" + writer_name(writer) + ".email>")};
}

void Load::stop() {
  for (auto& person : people_) person.request_stop();
  people_.clear();
}

void Load::wait_for_writes(std::uint64_t more) {
  EXPECT_TRUE(grow(written_, more)) << "writes do not get through";
}

void Load::wait_for_refused_reads(std::uint64_t more) {
  EXPECT_TRUE(grow(refused_reads_, more)) << "reads are not refused";
}

void Load::wait_until(BootTime moment) {
  while (BootClock::now() < moment) std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

std::optional<HttpResponse> Load::send(HttpClient& client, const HttpRequest& request,
                                       Notes& notes) {
  const auto begin = BootClock::now();
  try {
    auto answer = client.send(request);
    notes.asked.push_back(
        {.begin = begin, .took = BootClock::now() - begin, .status = answer.status});
    expect_invariants(request, answer);
    return answer;
  } catch (const std::exception& error) {
    notes.trouble = request.method + " " + request.target + ": " + error.what();
    return std::nullopt;
  }
}

Load::Outcome Load::outcome_of(const std::optional<HttpResponse>& answer, Notes& notes) {
  if (!answer) return Outcome::unknown;
  if (answer->status == 200 || answer->status == 201) return Outcome::done;
  if (answer->status != 503) notes.trouble = answer->text();
  return text_at(answer->json(), "/code") == "unknown_outcome" ? Outcome::unknown
                                                               : Outcome::not_done;
}

void Load::write_name(HttpClient& client, Writer who, Notes& notes) {
  const auto version = ++notes.names;
  test::Operation operation{.kind = test::Operation::Kind::write,
                            .begin = BootClock::now(),
                            .version = version,
                            .instance = who.instance,
                            .promise = test::Promise::bounded_but_own_at_once};
  const auto answer = send(client,
                           fleet_.as("admin", "PATCH /user/<" + writer_name(who.number) + ">",
                                     R"({"first_name": ")" + std::to_string(version) + R"("})"),
                           notes);
  const auto outcome = outcome_of(answer, notes);
  operation.end = outcome == Outcome::done ? BootClock::now() : test::kNever;
  if (outcome != Outcome::not_done) notes.operations.emplace_back(who.number, operation);
  if (outcome == Outcome::done) ++written_[who.instance];
}

void Load::write_usage(HttpClient& client, Writer who, Notes& notes) {
  const auto answer = send(client,
                           fleet_.as("admin", "POST /user/<" + writer_name(who.number) + ">/usage",
                                     R"({"usd": "0.000001"})"),
                           notes);
  const auto outcome = outcome_of(answer, notes);
  if (outcome == Outcome::done) ++notes.usages_done;
  if (outcome == Outcome::unknown) ++notes.usages_unknown;
}

void Load::make_user(HttpClient& client, Writer who, Notes& notes) {
  const auto email = series_ + "." + std::to_string(who.number) + "." +
                     std::to_string(notes.names) + "@example.test";
  const auto answer =
      send(client,
           fleet_.as("admin", "POST /user/",
                     R"({"email": ")" + email + R"(", "password": "open-Sesame-1"})"),
           notes);
  const auto outcome = outcome_of(answer, notes);
  if (outcome == Outcome::done) notes.made.push_back(email);
  if (outcome == Outcome::not_done) notes.not_made.push_back(email);
}

void Load::write(const std::stop_token& stop, Writer who, Notes& notes) {
  auto client = fleet_.client(who.instance);
  for (int turn = 0; !stop.stop_requested() && notes.trouble.empty(); ++turn) {
    write_name(client, who, notes);
    if (turn % 4 == 1) write_usage(client, who, notes);
    if (turn % 4 == 3) make_user(client, who, notes);
    std::this_thread::sleep_for(options_.write_pause);
  }
}

void Load::read(const std::stop_token& stop, std::size_t instance, Notes& notes) {
  auto client = fleet_.client(instance);
  std::vector<HttpRequest> requests;
  for (std::size_t i = 0; i < writers_; ++i)
    std::ranges::move(reads_of(i), std::back_inserter(requests));
  for (std::size_t turn = 0; !stop.stop_requested() && notes.trouble.empty(); ++turn) {
    const auto number = turn % requests.size();
    test::Operation operation{.begin = BootClock::now(), .instance = instance};
    const auto answer = send(client, requests[number], notes);
    operation.end = BootClock::now();
    if (!answer) return;
    if (answer->status == 200) {
      operation.version = std::stoll(text_at(answer->json(), "/first_name"));
      notes.operations.emplace_back(number / 2, operation);
      if (is_hit(*answer)) ++notes.hits;
    } else if (answer->status == 503) {
      ++refused_reads_[instance];
    } else {
      notes.trouble = answer->text();
    }
    std::this_thread::sleep_for(options_.read_pause);
  }
}

void Load::expect_kept_promises() {
  std::vector<std::vector<test::Operation>> histories(writers_);
  for (const auto& notes : notes_) {
    EXPECT_EQ(notes.trouble, "") << fleet_.output();
    for (const auto& [writer, operation] : notes.operations) {
      histories[writer].push_back(operation);
    }
  }
  for (const auto& history : histories) {
    const auto found = test::History{{.staleness = kT}, history}.violations();
    EXPECT_EQ(found.size(), 0U) << test::kBroken << found.front();
  }
  EXPECT_GT(hits(), 100U) << "a run without answers from memory is no evidence";
  expect_rows();
}

void Load::expect_rows() {
  auto database = fleet_.database().session();
  for (std::size_t i = 0; i < writers_; ++i) {
    const auto& notes = notes_[i];
    const auto id = fleet_.stage().known(writer_name(i));
    std::int64_t acknowledged = 0;
    std::vector<std::int64_t> possible{0};
    for (const auto& [writer, operation] : notes.operations) {
      if (operation.end != test::kNever) acknowledged = std::max(acknowledged, operation.version);
      possible.push_back(operation.version);
    }
    const auto name = database.integer("SELECT first_name::bigint FROM users WHERE id = " + id);
    EXPECT_GE(name, acknowledged) << test::kBroken << "an acknowledged write is lost";
    EXPECT_TRUE(std::ranges::find(possible, name) != possible.end())
        << name << " was refused and written all the same";
    const auto usages =
        database.integer("SELECT (used_usd * 1000000)::bigint FROM users WHERE id = " + id);
    EXPECT_GE(usages, notes.usages_done) << test::kBroken;
    EXPECT_LE(usages, notes.usages_done + notes.usages_unknown);
    const auto count = [&](const std::vector<std::string>& emails) {
      return static_cast<std::size_t>(database.integer(
          "SELECT count(*) FROM users WHERE email IN (" + quoted_list(emails) + ")"));
    };
    EXPECT_EQ(count(notes.made), notes.made.size()) << test::kBroken;
    EXPECT_EQ(count(notes.not_made), 0U) << "users who were refused are there";
  }
}

void Load::expect_silence(std::size_t instance, Phase phase) const {
  std::size_t refused = 0;
  std::size_t answered = 0;
  for (const auto& asked : notes_[writers_ + instance].asked) {
    if (asked.begin <= phase.from || asked.begin >= phase.to) continue;
    ++(asked.status == 503 ? refused : answered);
  }
  EXPECT_EQ(answered, 0U) << test::kBroken
                          << "answers although nobody could know whether they were true";
  EXPECT_GT(refused, 0U) << "nothing was asked meanwhile";
}

std::chrono::nanoseconds Load::took_at_most(double part, Phase phase) const {
  std::vector<std::chrono::nanoseconds> all;
  for (const auto& notes : notes_) {
    for (const auto& asked : notes.asked) {
      if (asked.begin >= phase.from && asked.begin <= phase.to) all.push_back(asked.took);
    }
  }
  if (all.empty()) throw std::runtime_error("nothing was asked in this phase");
  std::ranges::sort(all);
  const auto last = static_cast<double>(all.size() - 1);
  return all[static_cast<std::size_t>(part * last)];
}

std::uint64_t Load::hits() const {
  return std::transform_reduce(notes_.begin(), notes_.end(), std::uint64_t{0}, std::plus{},
                               [](const Notes& notes) { return notes.hits; });
}

std::uint64_t Load::refused() const {
  return std::transform_reduce(
      notes_.begin(), notes_.end(), std::uint64_t{0}, std::plus{}, [](const Notes& notes) {
        return static_cast<std::uint64_t>(std::ranges::count(notes.asked, 503U, &Asked::status));
      });
}

}  // namespace um::e2e
