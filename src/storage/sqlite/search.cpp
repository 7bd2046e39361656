// Searches users by a part of their name or address.
//
// The folded text of every user (user_search) has a trigram index. A keyword of three or more
// characters is looked up by all its trigrams. That gives candidates in ascending order of id;
// instr() keeps those that contain the keyword. FTS5 scans its lists from `after` on, so a page
// costs the same at any depth.
//
// One or two characters are no trigram. Such keywords are mostly frequent, so the next kWindow
// users are scanned. If they do not fill the page, the keyword is rare. Then few trigrams begin
// with it (the text is padded so that every character begins one), and the union of their lists is
// the result. If more than kMaxTerms trigrams begin with it although the hits were few, the
// remaining users are scanned, at 0.1 µs each.
#include <algorithm>
#include <limits>

#include "base/utf8.hpp"
#include "storage/rules.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/sqlite/stores.hpp"

namespace um::sqlite_search {

namespace {

using sqlite::Connection;
using Ids = std::vector<std::int64_t>;

constexpr std::int64_t kWindow = 5'000;
constexpr std::int64_t kMaxTerms = 256;
// More trigrams than this do not reduce the number of candidates noticeably.
constexpr std::size_t kMaxTrigrams = 24;

// The offsets of all characters, and the end.
std::vector<std::size_t> boundaries(std::string_view text) {
  std::vector<std::size_t> at{0};
  while (at.back() < text.size()) {
    at.push_back(at.back() + next_code_point(text.substr(at.back())).bytes);
  }
  return at;
}

void append_quoted(std::string& expression, std::string_view operation, std::string_view term) {
  if (!expression.empty()) expression += operation;
  expression += '"';
  for (const char c : term) {
    if (c == '"') expression += '"';
    expression += c;
  }
  expression += '"';
}

// Every trigram of the keyword: "abcd" → "abc" AND "bcd". Empty if it has none.
std::string all_trigrams(std::string_view folded) {
  const auto at = boundaries(folded);
  std::string expression;
  for (std::size_t i = 0; i + 3 < at.size() && i < kMaxTrigrams; ++i) {
    append_quoted(expression, " AND ", folded.substr(at[i], at[i + 3] - at[i]));
  }
  return expression;
}

struct Range {
  std::int64_t after = 0;
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
};

Ids all_ids(sqlite::Run& run) {
  Ids ids;
  while (run.next()) ids.push_back(run.integer(0));
  return ids;
}

Ids scan(Connection& db, const std::string& folded, Range range, std::int64_t limit) {
  auto run = db.run(sqlite_queries::kScanSearch, folded, range.after, range.to, limit);
  return all_ids(run);
}

Ids by_index(Connection& db, const std::string& expression, const std::string& folded,
             const Page& page) {
  auto run = db.run(sqlite_queries::kSearchTrigrams, expression, folded,
                    page.after ? page.after->value() : 0, page.limit, page.offset);
  return all_ids(run);
}

// The union of the trigrams that begin with `folded`; nullopt if there are too many of them.
std::optional<std::string> beginning_with(Connection& db, const std::string& folded) {
  const std::string past = folded + "\U0010FFFF\U0010FFFF";
  auto run = db.run(sqlite_queries::kTermsBetween, folded, past, kMaxTerms + 1);
  std::string expression;
  for (std::int64_t terms = 0; run.next(); ++terms) {
    if (terms == kMaxTerms) return std::nullopt;
    append_quoted(expression, " OR ", run.text(0));
  }
  return expression;
}

std::optional<std::int64_t> end_of_window(Connection& db, std::int64_t after) {
  auto run = db.run(sqlite_queries::kScanEnd, after, kWindow - 1);
  if (!run.next()) return std::nullopt;
  return run.integer(0);
}

Ids short_keyword(Connection& db, const std::string& folded, const Page& page) {
  const std::int64_t after = page.after ? page.after->value() : 0;
  const std::int64_t wanted = page.offset + page.limit;
  const auto end = end_of_window(db, after);
  Ids ids = scan(db, folded, end ? Range{after, *end} : Range{after}, wanted);
  if (end && std::ssize(ids) < wanted) {
    const auto expression = beginning_with(db, folded);
    if (expression) {
      return expression->empty() ? Ids{} : by_index(db, *expression, folded, page);
    }
    const Ids rest = scan(db, folded, Range{*end}, wanted - std::ssize(ids));
    ids.insert(ids.end(), rest.begin(), rest.end());
  }
  ids.erase(ids.begin(), ids.begin() + std::min<std::ptrdiff_t>(page.offset, std::ssize(ids)));
  return ids;
}

}  // namespace

Ids find(Connection& db, const std::string& folded, const Page& page) {
  if (!rules::can_match(folded)) return {};
  const std::string trigrams = all_trigrams(folded);
  if (trigrams.empty()) return short_keyword(db, folded, page);
  return by_index(db, trigrams, folded, page);
}

std::int64_t count(Connection& db, const std::string& folded) {
  if (!rules::can_match(folded)) return 0;
  const std::string trigrams = all_trigrams(folded);
  const auto first = [](sqlite::Run& run) { return run.next() ? run.integer(0) : 0; };
  if (trigrams.empty()) {
    auto run = db.run(sqlite_queries::kScanCount, folded);
    return first(run);
  }
  auto run = db.run(sqlite_queries::kCountTrigrams, trigrams, folded);
  return first(run);
}

}  // namespace um::sqlite_search
