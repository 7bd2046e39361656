#include "storage/postgres/adoption.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "drivers/pg/query.hpp"
#include "storage/rules.hpp"

namespace um::postgres_adoption {

namespace {

// The rows that one statement fetches or inserts.
constexpr int kBatch = 1000;
constexpr std::int64_t kMaxId = rules::kMaxGivenId;

// A ctid as one number and back: (block, place) with 16 bits for the place.
constexpr const char* kRowNumber =
    "((ctid::text::point)[0]::bigint << 16 | (ctid::text::point)[1]::bigint)";

std::string ctid_of(std::int64_t row) {
  return '(' + std::to_string(row >> 16) + ',' + std::to_string(row & 0xFFFF) + ')';
}

std::set<std::string> columns_of(BlockingConnection& db, const std::string& table) {
  std::set<std::string> columns;
  const auto rows = db.run(
      "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1)"
      " AND attnum > 0 AND NOT attisdropped",
      {table});
  for (std::size_t row = 0; row < rows.size(); ++row) columns.emplace(rows.text(row, 0));
  return columns;
}

std::set<std::string> go_columns() {
  return {"id", "first_name", "last_name", "email", "password"};
}

// Reads a query's result in batches and calls `each` for every batch.
template <class Each>
void for_each_row(BlockingConnection& db, const std::string& query, Each each) {
  db.execute("DECLARE adoption NO SCROLL CURSOR FOR " + query);
  const std::string fetch = "FETCH " + std::to_string(kBatch) + " FROM adoption";
  while (true) {
    const pg::Rows rows = db.run(fetch);
    if (rows.empty()) break;
    each(rows);
  }
  db.execute("CLOSE adoption");
}

// Remembers the addresses and ids of earlier rows.
class Judge {
 public:
  // Why a row (its number, id, email) is a misfit; empty if it is none.
  std::string reason(const pg::Rows& rows, std::size_t row) {
    const auto id = rows.null(row, 1) ? std::nullopt : UserId::parse(rows.text(row, 1));
    if (!id) return "the id is not a positive number";
    if (id->value() > kMaxId) return "the id is larger than 2^53";
    if (rows.null(row, 2)) return "the e-mail address is null";
    if (rows.text(row, 2).empty()) return "the e-mail address is empty";
    const auto email = Email::parse(rows.text(row, 2));
    if (!email) return "the e-mail address is not valid";
    if (ids_.contains(*id)) return "another row has the same id";
    const auto [first, fresh] = emails_.emplace(email->folded(), id->value());
    if (!fresh) return "the same e-mail address as user " + std::to_string(first->second);
    ids_.insert(*id);
    return {};
  }

 private:
  std::unordered_set<UserId> ids_;
  std::unordered_map<std::string, std::int64_t> emails_;
};

// The server copies the rows; only the search texts are computed here.
constexpr const char* kInsert = R"(
  INSERT INTO public.users (id, email, first_name, last_name, password_hash, search)
  SELECT o.id::text::bigint, o.email::text, coalesce(o.first_name::text, ''),
         coalesce(o.last_name::text, ''), coalesce(o.password::text, ''), E'\x1e' || n.search
    FROM unnest($1::text[], $2::text[]) AS n (place, search)
    JOIN user_manager_adopted.users o ON o.ctid = n.place::tid)";

constexpr const char* kQuarantine = R"(
  INSERT INTO public.users_quarantine (id, first_name, last_name, email, password, reason)
  SELECT o.id::text, o.first_name::text, o.last_name::text, o.email::text, o.password::text,
         n.reason
    FROM unnest($1::text[], $2::text[]) AS n (place, reason)
    JOIN user_manager_adopted.users o ON o.ctid = n.place::tid)";

void quarantine(BlockingConnection& db, const std::vector<MisfitRow>& misfits) {
  std::vector<std::string> places;
  std::vector<std::string> reasons;
  for (const MisfitRow& row : misfits) {
    places.push_back(ctid_of(row.rowid));
    reasons.push_back(row.reason);
  }
  db.run(kQuarantine, {pg::text_array(places), pg::text_array(reasons)});
}

std::string text_or_empty(const pg::Rows& rows, std::size_t row, std::size_t column) {
  return std::string{rows.text_or_null(row, column).value_or("")};
}

std::string search_text_of(const pg::Rows& rows, std::size_t row) {
  User user{.id = *UserId::parse(rows.text(row, 1)), .email = *Email::parse(rows.text(row, 2))};
  user.first_name = text_or_empty(rows, row, 3);
  user.last_name = text_or_empty(rows, row, 4);
  return rules::search_text(user);
}

void copy_sound_rows(BlockingConnection& db, const std::vector<MisfitRow>& misfits) {
  std::unordered_set<std::int64_t> apart;
  for (const MisfitRow& row : misfits) apart.insert(row.rowid);
  const std::string query = std::string{"SELECT "} + kRowNumber +
                            ", id::text, email::text, first_name::text, last_name::text"
                            " FROM user_manager_adopted.users";
  for_each_row(db, query, [&](const pg::Rows& rows) {
    std::vector<std::string> places;
    std::vector<std::string> searched;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (apart.contains(rows.integer(row, 0))) continue;
      places.push_back(ctid_of(rows.integer(row, 0)));
      searched.push_back(search_text_of(rows, row));
    }
    db.run(kInsert, {pg::text_array(places), pg::text_array(searched)});
  });
}

// An id that any user ever had is never assigned to another user.
void use_up_ids(BlockingConnection& db) {
  db.run(
      "SELECT setval('public.users_id_seq', greatest(given.out, seen.most)) FROM"
      " (SELECT coalesce(max(pg_sequence_last_value(s.oid)), 0) AS out FROM pg_class s"
      "   WHERE s.relkind = 'S' AND s.relnamespace = 'user_manager_adopted'::regnamespace) given,"
      " (SELECT coalesce(max(id::text::numeric), 0)::bigint AS most FROM user_manager_adopted.users"
      "   WHERE id::text ~ '^[0-9]+$' AND id::text::numeric <= $1) seen"
      " WHERE greatest(given.out, seen.most) BETWEEN 1 AND $1",
      {kMaxId});
}

}  // namespace

bool is_possible(BlockingConnection& db) {
  const auto columns = columns_of(db, "public.users");
  return std::ranges::includes(columns, go_columns()) && !columns.contains("version") &&
         db.text("SELECT relkind FROM pg_class WHERE oid = to_regclass('public.users')") == "r";
}

std::string dependents(BlockingConnection& db) {
  return db.text(R"(
    SELECT coalesce(string_agg(DISTINCT thing, ', '), '') FROM (
      SELECT 'the foreign key ' || conname || ' of ' || conrelid::regclass AS thing
        FROM pg_constraint WHERE contype = 'f' AND confrelid = to_regclass('public.users')
         AND conrelid <> confrelid
      UNION ALL
      SELECT 'the view ' || r.ev_class::regclass
        FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
       WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
         AND d.refobjid = to_regclass('public.users') AND r.ev_class <> d.refobjid
      UNION ALL
      SELECT 'the inheritance of ' || inhrelid::regclass
        FROM pg_inherits WHERE inhparent = to_regclass('public.users')) AS things)");
}

void lock(BlockingConnection& db) {
  db.execute("LOCK TABLE public.users IN ACCESS EXCLUSIVE MODE");
}

std::int64_t count_rows(BlockingConnection& db) {
  return db.integer("SELECT count(*) FROM public.users");
}

std::vector<MisfitRow> misfits(BlockingConnection& db) {
  std::vector<MisfitRow> found;
  Judge judge;
  const std::string query = std::string{"SELECT "} + kRowNumber +
                            ", id::text, email::text FROM public.users ORDER BY users.id, ctid";
  for_each_row(db, query, [&](const pg::Rows& rows) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
      std::string reason = judge.reason(rows, row);
      if (reason.empty()) continue;
      const auto stored = [&](std::size_t column) {
        return rows.null(row, column) ? std::nullopt
                                      : std::optional{std::string{rows.text(row, column)}};
      };
      found.push_back({.rowid = rows.integer(row, 0),
                       .id = stored(1),
                       .email = stored(2),
                       .reason = std::move(reason)});
    }
  });
  return found;
}

void set_aside(BlockingConnection& db) {
  // Its indexes, constraints and sequence move as well, so their names are free again.
  db.execute(R"(
    CREATE SCHEMA user_manager_adopted;
    ALTER TABLE public.users SET SCHEMA user_manager_adopted;
    DO $$ BEGIN
      IF to_regclass('public.users_id_seq') IS NOT NULL THEN
        ALTER SEQUENCE public.users_id_seq SET SCHEMA user_manager_adopted;
      END IF;
    END $$)");
}

void move_rows(BlockingConnection& db, const std::vector<MisfitRow>& misfits) {
  quarantine(db, misfits);
  copy_sound_rows(db, misfits);
  use_up_ids(db);
  if (columns_of(db, "user_manager_adopted.users") == go_columns()) {
    db.execute(
        "DROP TABLE user_manager_adopted.users;"
        "DROP SEQUENCE IF EXISTS user_manager_adopted.users_id_seq;"
        "DROP SCHEMA user_manager_adopted");
  }
  db.execute("ANALYZE public.users");
}

}  // namespace um::postgres_adoption
