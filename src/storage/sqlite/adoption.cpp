#include "storage/sqlite/adoption.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include <sqlite3.h>

#include "base/utf8.hpp"
#include "storage/rules.hpp"
#include "storage/sqlite/rows.hpp"
#include "storage/sqlite/stores.hpp"

namespace um::sqlite_adoption {

namespace {

using sqlite::Connection;
using sqlite::Query;

constexpr Query kColumns{"adopt_columns", "SELECT lower(name) FROM pragma_table_info(?1)"};
constexpr Query kExtras{
    "adopt_extras",
    "SELECT type, name FROM sqlite_master WHERE tbl_name = 'users' COLLATE NOCASE"
    " AND type IN ('index', 'trigger') AND sql IS NOT NULL"};
constexpr Query kRows{"adopt_rows",
                      "SELECT rowid, id, typeof(id), email, typeof(email), first_name, last_name"
                      " FROM users ORDER BY id, rowid"};
constexpr Query kSetAsideRows{"adopt_move",
                              "SELECT rowid, id, first_name, last_name, email, password"
                              " FROM users_before_adoption ORDER BY id"};
constexpr Query kQuarantine{"adopt_quarantine",
                            "INSERT INTO users_quarantine SELECT id, first_name, last_name, email,"
                            " password, ?2, ?3 FROM users_before_adoption WHERE rowid = ?1"};
constexpr Query kHighestId{
    "adopt_highest_id",
    "SELECT coalesce(max(id), 0) FROM users_before_adoption WHERE typeof(id) = 'integer'"
    " AND id <= ?1"};
constexpr Query kRaiseSequence{"adopt_sequence",
                               "INSERT INTO sqlite_sequence (name, seq) VALUES ('users', ?1)"};

constexpr std::int64_t kMaxId = rules::kMaxGivenId;

std::set<std::string> columns_of(Connection& db, std::string_view table) {
  std::set<std::string> columns;
  auto run = db.run(kColumns, table);
  while (run.next()) columns.emplace(run.text(0));
  return columns;
}

std::set<std::string> go_columns() {
  return {"id", "first_name", "last_name", "email", "password"};
}

// Many functions of SQLite end a text at NUL, and PostgreSQL cannot store one.
bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

// Remembers the addresses and ids of earlier rows.
class Judge {
 public:
  // Why the current row of kRows is a misfit; empty if it is none.
  std::string reason(const sqlite::Run& row) {
    const std::int64_t id = row.integer(1);
    if (row.text(2) != "integer" || id <= 0) return "the id is not a positive number";
    if (id > kMaxId) return "the id is larger than 2^53";
    if (row.null(3)) return "the e-mail address is null";
    if (row.text(3).empty()) return "the e-mail address is empty";
    const auto email = row.text(4) == "text" ? Email::parse(row.text(3)) : std::nullopt;
    if (!email) return "the e-mail address is not valid";
    if (!is_utf8(row.text(5)) || !is_utf8(row.text(6))) return "a name is not valid UTF-8";
    if (has_nul(row.text(5)) || has_nul(row.text(6))) return "a name has the character U+0000";
    if (ids_.contains(id)) return "another row has the same id";
    const auto [first, fresh] = emails_.emplace(email->folded(), id);
    if (!fresh) return "the same e-mail address as user " + std::to_string(first->second);
    ids_.insert(id);
    return {};
  }

 private:
  std::unordered_set<std::int64_t> ids_;
  std::unordered_map<std::string, std::int64_t> emails_;
};

std::int64_t highest_id(Connection& db) {
  std::int64_t highest = 0;
  {
    auto run = db.run(kHighestId, kMaxId);
    if (run.next()) highest = run.integer(0);
  }
  // Our table is AUTOINCREMENT, so sqlite_sequence exists. If the table of the Go program was
  // AUTOINCREMENT as well, its row there has the highest id that was ever assigned.
  const std::int64_t counted = db.integer(
      "SELECT coalesce(max(seq), 0) FROM sqlite_sequence"
      " WHERE name IN ('users', 'users_before_adoption')");
  return std::min(std::max(highest, counted), kMaxId);
}

void move_row(sqlite::Transaction& tx, const sqlite::Run& row, WallTime now) {
  NewUser user{.email = *Email::parse(row.text(4)),
               .first_name = std::string{row.text(2)},
               .last_name = std::string{row.text(3)},
               .password_hash = Secret{std::string{row.text(5)}},
               .id = UserId::from(row.integer(1))};
  const auto inserted = insert_user(tx, user, now);
  // Misfits were sorted out before, so no row is refused here.
  if (!inserted) throw sqlite::SqliteError{SQLITE_MISMATCH, inserted.error().detail};
}

std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace

bool is_possible(Connection& db) {
  const auto columns = columns_of(db, "users");
  return std::ranges::includes(columns, go_columns()) && !columns.contains("version");
}

std::int64_t count_rows(Connection& db) {
  return db.integer("SELECT count(*) FROM users");
}

std::vector<MisfitRow> misfits(Connection& db) {
  std::vector<MisfitRow> found;
  Judge judge;
  for (auto row = db.run(kRows); row.next();) {
    std::string reason = judge.reason(row);
    if (reason.empty()) continue;
    const auto stored = [&](int column) {
      return row.null(column) ? std::nullopt : std::optional{std::string{row.text(column)}};
    };
    found.push_back({.rowid = row.integer(0),
                     .id = stored(1),
                     .email = stored(3),
                     .reason = std::move(reason)});
  }
  return found;
}

void set_aside(Connection& db) {
  std::string drops;
  for (auto run = db.run(kExtras); run.next();) {
    drops += "DROP " + std::string{run.text(0)} + ' ' + quoted_name(run.text(1)) + ';';
  }
  db.execute(drops.c_str());
  db.execute("ALTER TABLE users RENAME TO users_before_adoption");
}

void move_rows(Connection& db, const Move& move) {
  std::unordered_set<std::int64_t> apart;
  for (const MisfitRow& row : move.misfits) {
    db.run(kQuarantine, row.rowid, row.reason, to_micros(move.now)).finish();
    apart.insert(row.rowid);
  }
  sqlite::Transaction tx{db, [] {}};
  for (auto row = db.run(kSetAsideRows); row.next();) {
    if (!apart.contains(row.integer(0))) move_row(tx, row, move.now);
  }
  // An id that any user ever had is never assigned to another user.
  const std::int64_t highest = highest_id(db);
  db.execute("DELETE FROM sqlite_sequence WHERE name = 'users'");
  db.run(kRaiseSequence, highest).finish();
  // A table with other columns stays: values that were not copied must not be lost.
  if (columns_of(db, "users_before_adoption") == go_columns()) {
    db.execute("DROP TABLE users_before_adoption");
  }
}

}  // namespace um::sqlite_adoption
