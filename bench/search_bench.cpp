// Measures listing and searching in a database with many users.
//
//   search_bench FILE|postgresql://… [USERS]
//
// Makes the SQLite file, or migrates the PostgreSQL database, fills it with that many users
// (default 1,000,000) if it has none, then prints the shortest and longest of five runs of each
// call.
//
// Names are random syllables (fixed seed), a few are Cyrillic and Chinese. Two users near the end
// have names with characters, or pairs of characters, that no other name contains.
#include <cstdio>
#include <random>

#include "async/run_task.hpp"
#include "storage/postgres/storage.hpp"
#include "storage/sqlite/storage.hpp"

namespace um {
namespace {

constexpr int kBatch = 5'000;
constexpr int kRuns = 5;

class Names {
 public:
  NewUser user(int number, int of) {
    std::string first = one_of(kRare, 40) ? pick(kWords) : word();
    std::string last = one_of(kRare, 40) ? pick(kWords) : word();
    if (number == of * 7 / 9) first = "龘靐";
    if (number == of * 8 / 9) last = "qxqz";
    const std::string address = "u" + word() + std::to_string(number) + "@" + pick(kDomains);
    NewUser user{.email = Email::parse(address).value()};
    user.first_name = std::move(first);
    user.last_name = std::move(last);
    return user;
  }

 private:
  static constexpr int kRare = 1;
  static constexpr std::array<const char*, 30> kSyllables{
      "an",  "ber", "car", "dan", "el",  "far", "gro", "hel", "in",  "jor",
      "kal", "lin", "mar", "nor", "ol",  "pet", "qui", "ros", "son", "tor",
      "ul",  "vin", "wes", "xan", "yor", "zel", "ski", "man", "ova", "ez"};
  static constexpr std::array<const char*, 6> kWords{"志明",     "春嬌",     "王",
                                                     "Кузнецов", "Ångström", "O'Brien"};
  static constexpr std::array<const char*, 3> kDomains{"example.com", "mail.example.org",
                                                       "corp.example.net"};

  bool one_of(int wanted, int of) {
    return static_cast<int>(random_() % static_cast<unsigned>(of)) < wanted;
  }
  template <class Array>
  std::string pick(const Array& array) {
    return array[random_() % array.size()];
  }
  std::string word() {
    std::string text;
    const auto syllables = 2 + random_() % 2;
    for (unsigned i = 0; i < syllables; ++i) text += pick(kSyllables);
    return text;
  }
  std::mt19937 random_{7};
};

void fill(Storage& storage, int users) {
  Names names;
  for (int done = 0; done < users; done += kBatch) {
    UserStore::InsertMany batch;
    for (int i = done; i < std::min(done + kBatch, users); ++i)
      batch.users.push_back(names.user(i, users));
    const auto inserted = run(storage.users().insert_many(std::move(batch), {}));
    if (!inserted) throw std::runtime_error(inserted.error().detail);
    if (done % 100'000 == 0) std::fprintf(stderr, "%d users\n", done);
  }
}

template <class Call>
void measure(const std::string& name, Call call) {
  double shortest = 1e9;
  double longest = 0;
  std::int64_t hits = 0;
  for (int i = 0; i < kRuns; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    hits = call();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    shortest = std::min(shortest, took.count());
    longest = std::max(longest, took.count());
  }
  std::printf("%-44s %8lld hits  %8.2f to %8.2f ms\n", name.c_str(), static_cast<long long>(hits),
              shortest, longest);
}

void measure_all(UserStore& users, int number) {
  const auto far = UserId::from(number / 10 * 9);
  measure("list, first page",
          [&] { return std::ssize(run(users.list({.limit = 20}, {})).value()); });
  measure("list, after 90 %",
          [&] { return std::ssize(run(users.list({.limit = 20, .after = far}, {})).value()); });
  measure("list, offset 90 %", [&] {
    return std::ssize(run(users.list({.limit = 20, .offset = number / 10 * 9}, {})).value());
  });
  measure("count", [&] { return run(users.count("", {})).value(); });
  for (const char* keyword : {"example", "corp.example.net", "xanyor", "qxqz", "com@exa", "u777",
                              "志明", "龘", "qz", "zx", "an", "a", "7", "@", "%"}) {
    const std::string quoted = std::string{"search \""} + keyword + "\"";
    measure(quoted,
            [&] { return std::ssize(run(users.search(keyword, {.limit = 20}, {})).value()); });
    measure(quoted + ", after 90 %", [&] {
      return std::ssize(run(users.search(keyword, {.limit = 20, .after = far}, {})).value());
    });
    measure(std::string{"count \""} + keyword + "\"",
            [&] { return run(users.count(keyword, {})).value(); });
  }
}

Result<std::unique_ptr<Storage>> open(const std::string& place, const Clock& clock) {
  if (!place.starts_with("postgres")) return open_sqlite({.file = place, .clock = &clock});
  return open_postgres({.url = Secret{place},
                        .clock = &clock,
                        .migrate = true,
                        .statement_timeout = std::chrono::minutes{5}});
}

}  // namespace
}  // namespace um

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s FILE|URL [USERS]\n", argv[0]), 2;
  const int users = argc > 2 ? std::atoi(argv[2]) : 1'000'000;
  const um::SystemClock clock;
  auto storage = um::open(argv[1], clock);
  if (!storage) return std::fprintf(stderr, "%s\n", storage.error().detail.c_str()), 1;
  if (um::run((*storage)->users().count("", {})).value() == 0) um::fill(**storage, users);
  um::measure_all((*storage)->users(), users);
  return 0;
}
