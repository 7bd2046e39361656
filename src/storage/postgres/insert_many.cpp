// Inserts many users in one transaction, some thousand rows in a second. Rows are sent as arrays,
// and the statement itself leaves out rows that collide with others (ON CONFLICT DO NOTHING). A
// second statement finds out why each was left out. The results are the same as if the rows had
// been inserted one after another. Rows without an id get one from the sequence, which first skips
// all ids that the batch names. A rollback may leave gaps in the sequence.
#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "drivers/pg/query.hpp"
#include "storage/postgres/queries.hpp"
#include "storage/postgres/stores.hpp"
#include "storage/rules.hpp"
#include "user/time_text.hpp"

namespace um::postgres_writes {

namespace {

namespace queries = postgres_queries;

// Rows of one statement: about 300 KiB, some ten milliseconds.
constexpr std::size_t kChunk = 500;
// To skip more ids than this the sequence is set, under a lock; fewer are skipped by drawing them.
// Without the lock others could draw ids between reading and setting the sequence, and the sequence
// would go back.
constexpr std::int64_t kDrawnAtMost = 1000;
// How often a row is tried that collided with another one which had vanished when asked for.
constexpr int kRounds = 3;

// One new user of the batch.
struct Row {
  const NewUser* wanted;
  User user;  // its id is known, given or drawn
  Result<UserId>* answer;
  std::size_t number;  // in the batch
};
using RowRefs = std::vector<Row*>;

bool is_storable(const NewUser& user) {
  const auto sound = [](const std::optional<std::string>& text) {
    return !text || um::is_storable(*text);
  };
  return sound(user.email.text()) && sound(user.username) && um::is_storable(user.first_name) &&
         um::is_storable(user.last_name) && sound(user.model_capability_settings) &&
         um::is_storable(user.password_hash.reveal());
}

// The values of some rows as arrays, one for each column.
class ColumnArrays {
 public:
  explicit ColumnArrays(const RowRefs& rows) : rows_{rows} {}

  template <class Function>
  std::string texts(Function text_of) const {
    std::vector<std::string> texts;
    texts.reserve(rows_.size());
    for (const Row* row : rows_) texts.emplace_back(text_of(*row));
    return pg::text_array(texts);
  }
  template <class Function>
  std::string numbers(Function number_of) const {
    std::vector<std::int64_t> numbers;
    numbers.reserve(rows_.size());
    for (const Row* row : rows_) numbers.push_back(number_of(*row));
    return pg::integer_array(numbers);
  }

 private:
  const RowRefs& rows_;
};

pg::Params insertion(const RowRefs& rows, WallTime now) {
  const ColumnArrays columns{rows};
  return pg::Params{
      columns.numbers([](const Row& row) { return row.user.id.value(); }),
      columns.texts([](const Row& row) { return row.user.email.text(); }),
      columns.texts([](const Row& row) { return row.user.username.value_or(""); }),
      columns.texts([](const Row& row) { return row.user.first_name; }),
      columns.texts([](const Row& row) { return row.user.last_name; }),
      columns.texts([](const Row& row) { return to_string(row.user.role); }),
      columns.numbers([](const Row& row) { return row.user.is_active ? 1 : 0; }),
      columns.texts([](const Row& row) { return usd_text(row.user.quota_usd).value_or(""); }),
      columns.texts([](const Row& row) { return row.user.used_usd.text(); }),
      columns.texts([](const Row& row) { return row.user.model_capability_settings.value_or(""); }),
      columns.texts([](const Row& row) { return time_text(row.user.created_at); }),
      time_text(now),
      columns.texts([](const Row& row) { return row.wanted->password_hash.reveal(); }),
      columns.texts([](const Row& row) { return rules::search_text(row.user); })};
}

pg::Params holders(const RowRefs& rows) {
  const ColumnArrays columns{rows};
  return pg::Params{
      columns.numbers([](const Row& row) { return row.user.id.value(); }),
      columns.texts([](const Row& row) { return row.user.email.folded(); }),
      columns.texts([](const Row& row) { return fold_ascii(row.user.username.value_or("")); })};
}

// Rows of a batch that were refused before, by their number.
using Refusals = std::map<std::size_t, Error>;

class Insertion {
 public:
  struct Input {
    const UserStore::InsertMany& batch;
    const Refusals& refused;
    WallTime now;
  };
  Insertion(PostgresWrite& write, Input input)
      : write_{write}, batch_{input.batch}, refused_{input.refused}, now_{input.now} {}

  Task<Result<InsertAnswers>> run();

 private:
  void plan();
  // After this no transaction draws an id up to `last`.
  Task<Result<void>> pass_ids(std::int64_t last);
  Task<Result<void>> draw_ids(RowRefs rows);
  void invent_ids(const RowRefs& rows);
  Task<Result<void>> insert(RowRefs rows);
  // Returns the rows that have to be tried again: the rows that they collided with are gone.
  Task<Result<RowRefs>> insert_round(RowRefs rows);
  RowRefs left_out(const RowRefs& rows, const pg::Rows& inserted);
  // Why a row was left out; nullopt: nothing collides with it (any more).
  std::optional<Error> reason(const Row& row, const pg::Rows& holders, std::size_t at) const;
  bool came_before(const pg::Rows& holders, Cell at, const Row& row) const;

  PostgresWrite& write_;
  const UserStore::InsertMany& batch_;
  const Refusals& refused_;
  const WallTime now_;
  InsertAnswers answers_;
  std::vector<Row> rows_;
  std::unordered_map<std::int64_t, std::size_t> inserted_;  // id → number in the batch
  std::unordered_set<std::int64_t> named_;                  // ids
  std::int64_t next_invented_ = rules::kMaxGivenId;
};

void Insertion::plan() {
  const Error lost{.code = ErrorCode::unavailable,
                   .detail = "others were faster again and again",
                   .retry_after = std::chrono::seconds{1}};
  answers_.assign(batch_.users.size(), std::unexpected(lost));
  rows_.reserve(batch_.users.size());
  for (std::size_t i = 0; i < batch_.users.size(); ++i) {
    const NewUser& wanted = batch_.users[i];
    auto planned = rules::plan_insert(wanted, now_);
    if (const auto refused = refused_.find(i); refused != refused_.end()) {
      answers_[i] = std::unexpected(refused->second);
    } else if (!planned) {
      answers_[i] = std::unexpected(planned.error());
    } else if (!is_storable(wanted)) {
      answers_[i] = fail(ErrorCode::invalid, "text must be UTF-8 without NUL");
    } else {
      rows_.push_back(
          {.wanted = &wanted, .user = std::move(*planned), .answer = &answers_[i], .number = i});
    }
  }
}

Task<Result<InsertAnswers>> Insertion::run() {
  plan();
  RowRefs all;
  RowRefs nameless;
  for (Row& row : rows_) {
    all.push_back(&row);
    if (row.wanted->id) {
      named_.insert(row.wanted->id->value());
    } else {
      nameless.push_back(&row);
    }
  }
  if (const std::int64_t last = rules::largest_named_id(batch_.users); last > 0) {
    const auto passed = co_await pass_ids(last);
    if (!passed) co_return std::unexpected(passed.error());
  }
  const auto drawn = co_await draw_ids(std::move(nameless));
  if (!drawn) co_return std::unexpected(drawn.error());
  for (std::size_t done = 0; done < all.size(); done += kChunk) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(done);
    const std::size_t size = std::min(kChunk, all.size() - done);
    const auto inserted =
        co_await insert(RowRefs(begin, begin + static_cast<std::ptrdiff_t>(size)));
    if (!inserted) co_return std::unexpected(inserted.error());
  }
  co_return std::move(answers_);
}

Task<Result<void>> Insertion::pass_ids(std::int64_t last) {
  if (batch_.rehearse) co_return Result<void>{};
  auto before = co_await write_.run(queries::kIdsBefore, {last});
  if (before && before->integer(0, 0) > kDrawnAtMost) {
    const auto locked = co_await write_.run(queries::kLockIds);
    if (!locked) co_return std::unexpected(locked.error());
    before = co_await write_.run(queries::kIdsBefore, {last});
  }
  if (!before) co_return std::unexpected(before.error());
  const std::int64_t number = before->integer(0, 0);
  if (number <= 0) co_return Result<void>{};
  const bool far = number > kDrawnAtMost;
  const auto passed =
      co_await write_.run(far ? queries::kPassIds : queries::kReserveIds, {far ? last : number});
  if (!passed) co_return std::unexpected(passed.error());
  co_return Result<void>{};
}

// A rehearsal must use up no ids of the sequence, so it counts down from the largest id.
void Insertion::invent_ids(const RowRefs& rows) {
  for (Row* row : rows) {
    while (named_.contains(next_invented_)) --next_invented_;
    row->user.id = UserId::from(next_invented_--).value();
  }
}

Task<Result<void>> Insertion::draw_ids(RowRefs rows) {
  if (rows.empty()) co_return Result<void>{};
  if (batch_.rehearse) {
    invent_ids(rows);
    co_return Result<void>{};
  }
  const auto drawn = co_await write_.run(queries::kReserveIds, {rows.size()});
  if (!drawn) co_return std::unexpected(drawn.error());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i]->user.id = UserId::from(drawn->integer(i, 0)).value();
  }
  co_return Result<void>{};
}

Task<Result<void>> Insertion::insert(RowRefs rows) {
  for (int round = 0; round < kRounds && !rows.empty(); ++round) {
    auto again = co_await insert_round(std::move(rows));
    if (!again) co_return std::unexpected(again.error());
    rows = std::move(*again);
  }
  co_return Result<void>{};
}

Task<Result<RowRefs>> Insertion::insert_round(RowRefs rows) {
  const auto inserted = co_await write_.run(queries::kInsertUsers, insertion(rows, now_));
  if (!inserted) co_return std::unexpected(inserted.error());
  RowRefs outside = left_out(rows, *inserted);
  RowRefs again;
  RowRefs unlucky;  // rows with an assigned id that is taken
  if (outside.empty()) co_return again;
  const auto taken = co_await write_.run(queries::kFindTaken, holders(outside));
  if (!taken) co_return std::unexpected(taken.error());
  for (std::size_t i = 0; i < outside.size(); ++i) {
    Row& row = *outside[i];
    const auto error = reason(row, *taken, i);
    if (!error) {
      again.push_back(&row);
    } else if (error->code == ErrorCode::conflict && !row.wanted->id) {
      unlucky.push_back(&row);
      again.push_back(&row);
    } else {
      *row.answer = std::unexpected(*error);
    }
  }
  const auto drawn = co_await draw_ids(std::move(unlucky));
  if (!drawn) co_return std::unexpected(drawn.error());
  co_return again;
}

RowRefs Insertion::left_out(const RowRefs& rows, const pg::Rows& inserted) {
  std::map<std::pair<std::int64_t, std::string>, bool> stored;
  for (std::size_t i = 0; i < inserted.size(); ++i) {
    stored.emplace(std::pair{inserted.integer(i, 0), std::string{inserted.text(i, 1)}}, false);
    write_.is_transaction(inserted, {.row = i, .column = 2});
  }
  RowRefs outside;
  for (Row* row : rows) {
    const auto found = stored.find({row->user.id.value(), row->user.email.text()});
    if (found == stored.end() || std::exchange(found->second, true)) {
      outside.push_back(row);
      continue;
    }
    *row->answer = row->user.id;
    inserted_.emplace(row->user.id.value(), row->number);
    write_.touch(row->user);
  }
  return outside;
}

// Whether the holder is a row of another writer, or a row of this batch with a smaller number. Rows
// that follow in the batch do not count: inserted one by one, they would not have existed yet.
bool Insertion::came_before(const pg::Rows& holders, Cell at, const Row& row) const {
  if (holders.null(at.row, at.column)) return false;
  const auto own = inserted_.find(holders.integer(at.row, at.column));
  return own == inserted_.end() || own->second < row.number;
}

std::optional<Error> Insertion::reason(const Row& row, const pg::Rows& holders,
                                       std::size_t at) const {
  const bool id = came_before(holders, {.row = at, .column = 0}, row);
  const bool email = came_before(holders, {.row = at, .column = 1}, row);
  if (id && email && holders.integer(at, 0) == holders.integer(at, 1)) return rules::email_taken();
  if (id) return rules::id_taken();
  if (email) return rules::email_taken();
  if (came_before(holders, {.row = at, .column = 2}, row)) return rules::username_taken();
  return std::nullopt;
}

Task<Result<InsertAnswers>> insert_unless(PostgresDatabase& db, const UserStore::InsertMany& batch,
                                          const Refusals& refused, Deadline deadline) {
  std::optional<InsertAnswers> rehearsed;
  const auto work = [&](PostgresWrite& write) -> Task<Result<InsertAnswers>> {
    rehearsed.reset();
    Insertion insertion{write, {.batch = batch, .refused = refused, .now = db.clock().wall_now()}};
    auto answers = co_await insertion.run();
    if (!answers || !batch.rehearse) co_return answers;
    rehearsed = std::move(*answers);
    co_return fail(ErrorCode::conflict, "a rehearsal");  // rolls back
  };
  auto answers = co_await db.write<InsertAnswers>(deadline, work);
  if (!answers && rehearsed) co_return std::move(*rehearsed);
  co_return answers;
}

// Finds the rows with values that the schema refuses, by a rule of the database that this program
// does not know. A statement with such a row fails as a whole, so halves are rehearsed until each
// is found.
Task<Result<Refusals>> find_refused(PostgresDatabase& db, const std::vector<NewUser>& users,
                                    Deadline deadline) {
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  const Refusals none;
  Refusals refused;
  std::vector<Range> suspects{{.begin = 0, .end = users.size()}};
  while (!suspects.empty()) {
    const Range range = suspects.back();
    suspects.pop_back();
    const auto at = [&](std::size_t i) { return users.begin() + static_cast<std::ptrdiff_t>(i); };
    const UserStore::InsertMany part{.users = {at(range.begin), at(range.end)}, .rehearse = true};
    const auto rehearsed = co_await insert_unless(db, part, none, deadline);
    if (rehearsed) continue;
    if (rehearsed.error().code != ErrorCode::invalid) co_return std::unexpected(rehearsed.error());
    if (range.end - range.begin == 1) {
      refused.emplace(range.begin, rehearsed.error());
      continue;
    }
    const std::size_t middle = (range.begin + range.end) / 2;
    suspects.push_back({.begin = range.begin, .end = middle});
    suspects.push_back({.begin = middle, .end = range.end});
  }
  co_return refused;
}

}  // namespace

Task<Result<InsertAnswers>> insert_many(PostgresDatabase& db, const UserStore::InsertMany& batch,
                                        Deadline deadline) {
  if (batch.users.size() > rules::kMaxInsertMany) {
    co_return fail(ErrorCode::invalid, "too many users in one batch");
  }
  if (batch.users.empty()) co_return InsertAnswers{};
  const Refusals none;
  auto answers = co_await insert_unless(db, batch, none, deadline);
  if (answers || answers.error().code != ErrorCode::invalid) co_return answers;
  const auto refused = co_await find_refused(db, batch.users, deadline);
  if (!refused) co_return std::unexpected(refused.error());
  answers = co_await insert_unless(db, batch, *refused, deadline);
  co_return answers;
}

}  // namespace um::postgres_writes
