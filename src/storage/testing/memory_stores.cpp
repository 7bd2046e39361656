#include "storage/testing/memory_stores.hpp"

#include <algorithm>

#include "storage/rules.hpp"

namespace um::test {

// MemoryUserStore

UserRef MemoryUserStore::add(const NewUser& wanted) {
  User user = rules::plan_insert(wanted, clock_.wall_now()).value();
  if (!wanted.id) {
    if (!rows.empty()) last_id_ = std::max(last_id_, rows.rbegin()->first.value());
    user.id = *UserId::from(++last_id_);
  }
  user.auth_epoch = ++last_epoch_;
  return put(std::move(user), wanted.password_hash);
}

UserRef MemoryUserStore::put(User user, Secret hash) {
  user.version = ++last_version_;
  const UserId id = user.id;
  rows.insert_or_assign(id, Row{.user = std::move(user), .hash = std::move(hash)});
  return get(id);
}

UserRef MemoryUserStore::get(UserId id) const {
  const auto found = rows.find(id);
  return found == rows.end() ? nullptr : make_record(found->second.user);
}

void MemoryUserStore::change_behind(UserId id, const std::function<void(User&)>& change) {
  User user = rows.at(id).user;
  change(user);
  put(std::move(user), hash_of(id));
}

void MemoryUserStore::disable(UserId id) {
  rows.at(id).user.is_active = false;
  bump_epoch(id);
}

std::optional<Error> MemoryUserStore::enter(const char* name, Deadline deadline) {
  names.emplace_back(name);
  deadlines.push_back(deadline);
  return failure;
}

const MemoryUserStore::Row* MemoryUserStore::by_email(const Email& email) const {
  const auto found = std::ranges::find_if(
      rows, [&](const auto& entry) { return entry.second.user.email == email; });
  return found == rows.end() ? nullptr : &found->second;
}

std::optional<UserReading> MemoryUserStore::find_now(UserId id, const ReadOptions&, BootTime) {
  ++calls.find_now;
  if (!in_memory) return std::nullopt;
  return UserReading{.value = get(id), .source = Source::l1};
}

Task<Result<UserReading>> MemoryUserStore::find(UserId id, ReadOptions options) {
  return on_find ? on_find() : find_row(id, options);
}
Task<Result<UserReading>> MemoryUserStore::find(Email email, ReadOptions options) {
  return on_find ? on_find() : find_row(std::move(email), options);
}

Task<Result<UserReading>> MemoryUserStore::find_row(UserId id, ReadOptions options) {
  ++calls.find;
  deadlines.push_back(options.deadline);
  if (options.from_primary) ++calls.find_primary;
  if (failure) co_return fail(*failure);
  if (const auto hit = cached.find(id); hit != cached.end() && !options.from_primary)
    co_return UserReading{.value = hit->second, .source = Source::l1};
  co_return UserReading{.value = get(id)};
}

Task<Result<UserReading>> MemoryUserStore::find_row(Email email, ReadOptions options) {
  ++calls.find;
  deadlines.push_back(options.deadline);
  if (failure) co_return fail(*failure);
  const Row* row = by_email(email);
  co_return UserReading{.value = row == nullptr ? nullptr : make_record(row->user)};
}

std::vector<UserRef> MemoryUserStore::matching(const std::string& keyword, Page page) const {
  std::vector<UserRef> users;
  std::int64_t skip = page.offset;
  for (const auto& [id, row] : rows) {
    if (page.after && id <= *page.after) continue;
    const std::string text =
        row.user.first_name + "\n" + row.user.last_name + "\n" + row.user.email.folded();
    if (!fold_ascii(text).contains(fold_ascii(keyword)) || skip-- > 0) continue;
    if (static_cast<std::int64_t>(users.size()) == page.limit) break;
    users.push_back(make_record(row.user));
  }
  return users;
}

Task<Result<std::vector<UserRef>>> MemoryUserStore::list(Page page, Deadline deadline) {
  if (const auto error = enter("list", deadline)) co_return fail(*error);
  co_return matching({}, page);
}

Task<Result<std::vector<UserRef>>> MemoryUserStore::search(std::string keyword, Page page,
                                                           Deadline deadline) {
  if (const auto error = enter("search", deadline)) co_return fail(*error);
  co_return matching(keyword, page);
}

Task<Result<std::int64_t>> MemoryUserStore::count(std::string keyword, Deadline deadline) {
  if (const auto error = enter("count", deadline)) co_return fail(*error);
  co_return static_cast<std::int64_t>(matching(keyword, {.limit = 1'000'000}).size());
}

Task<Result<bool>> MemoryUserStore::has_admin(Deadline deadline) {
  if (const auto error = enter("has_admin", deadline)) co_return fail(*error);
  co_return std::ranges::any_of(
      rows, [](const auto& entry) { return rules::is_acting_admin(entry.second.user); });
}

std::optional<Error> MemoryUserStore::taken(const User& user, std::optional<UserId> self) const {
  for (const auto& [id, row] : rows) {
    if (id == self) continue;
    const User& other = row.user;
    if (other.email == user.email) return rules::email_taken();
    if (user.username && other.username &&
        fold_ascii(*user.username) == fold_ascii(*other.username))
      return rules::username_taken();
  }
  return std::nullopt;
}

bool MemoryUserStore::other_admin(UserId id) const {
  return std::ranges::any_of(rows, [&](const auto& entry) {
    return entry.first != id && rules::is_acting_admin(entry.second.user);
  });
}

Result<UserRef> MemoryUserStore::insert_row(const NewUser& wanted) {
  const auto planned = rules::plan_insert(wanted, clock_.wall_now());
  if (!planned) return std::unexpected(planned.error());
  if (wanted.id && rows.contains(*wanted.id)) return fail(rules::id_taken());
  if (auto error = taken(*planned, std::nullopt)) return fail(std::move(*error));
  return add(wanted);
}

Task<Result<UserRef>> MemoryUserStore::insert(NewUser user, Deadline deadline) {
  ++calls.insert;
  if (const auto error = enter("insert", deadline)) co_return fail(*error);
  if (insert_failure) co_return fail(*insert_failure);
  co_return insert_row(user);
}

Task<Result<std::vector<Result<UserId>>>> MemoryUserStore::insert_many(InsertMany batch,
                                                                       Deadline deadline) {
  if (const auto error = enter("insert_many", deadline)) co_return fail(*error);
  const auto before = rows;
  std::vector<Result<UserId>> answers;
  for (const NewUser& user : batch.users) {
    const auto inserted = insert_row(user);
    if (inserted) {
      answers.emplace_back((*inserted)->user.id);
    } else {
      answers.emplace_back(std::unexpected(inserted.error()));
    }
  }
  if (batch.rehearse) rows = before;
  co_return answers;
}

namespace {
constexpr int kMostAttempts = 50;
}  // namespace

// Like a database with a compare-and-set: a row that changes between the plan and the write is
// planned again.
Task<Result<UserRef>> MemoryUserStore::update(UpdateUser update, Deadline deadline) {
  for (int attempt = 1;; ++attempt) {
    if (const auto error = enter("update", deadline)) co_return fail(*error);
    const auto found = rows.find(update.id);
    if (found == rows.end()) co_return fail(rules::no_such_user());
    const Revision planned_from = revision_of(found->second.user);
    const std::int64_t epoch = found->second.user.auth_epoch;
    auto plan = rules::plan_update(found->second.user, update);
    if (!plan) co_return std::unexpected(plan.error());
    if (plan->changes_nothing) co_return get(update.id);
    ++calls.update;
    if (before_update) before_update();
    const auto now = rows.find(update.id);
    if (now == rows.end()) co_return fail(rules::no_such_user());
    const bool lost =
        revision_of(now->second.user) != planned_from || now->second.user.auth_epoch != epoch;
    if (lost) {
      if (attempt == kMostAttempts || deadline.passed(clock_.now()))
        co_return fail(rules::changed_meanwhile());
      continue;
    }
    last_change = plan->change;
    if (auto error = taken(plan->user, update.id)) co_return fail(std::move(*error));
    if (plan->gives_up_admin && !other_admin(update.id)) co_return fail(rules::last_admin());
    if (plan->ends_sessions) plan->user.auth_epoch = ++last_epoch_;
    plan->user.updated_at = clock_.wall_now();
    co_return put(std::move(plan->user), plan->change.password_hash.value_or(now->second.hash));
  }
}

Task<Result<void>> MemoryUserStore::remove(RemoveUser request, Deadline deadline) {
  ++calls.remove;
  if (const auto error = enter("remove", deadline)) co_return fail(*error);
  if (before_update) before_update();
  const auto found = rows.find(request.id);
  if (found == rows.end()) co_return fail(rules::no_such_user());
  const User& user = found->second.user;
  if (auto allowed = rules::may_remove(user, request); !allowed) co_return allowed;
  if (rules::is_acting_admin(user) && !other_admin(user.id)) co_return fail(rules::last_admin());
  rows.erase(found);
  co_return Result<void>{};
}

Task<Result<UsageTotals>> MemoryUserStore::add_usage(UsageRecord usage, Deadline deadline) {
  if (const auto error = enter("add_usage", deadline)) co_return fail(*error);
  const auto found = rows.find(usage.user);
  if (found == rows.end()) co_return fail(rules::no_such_user());
  User& user = found->second.user;
  const auto sum = user.used_usd.plus(usage.amount);
  if (!sum) co_return fail(ErrorCode::invalid);
  user.used_usd = *sum;
  ++user.counters_version;
  co_return UsageTotals{.used_usd = *sum, .quota_usd = user.quota_usd};
}

Task<Result<std::optional<Credentials>>> MemoryUserStore::credentials(Email email,
                                                                      Deadline deadline) {
  ++calls.credentials;
  if (const auto error = enter("credentials by email", deadline)) co_return fail(*error);
  const Row* row = by_email(email);
  if (row == nullptr) co_return std::nullopt;
  co_return Credentials{.user = make_record(row->user), .password_hash = row->hash};
}

Task<Result<std::optional<Credentials>>> MemoryUserStore::credentials(UserId id,
                                                                      Deadline deadline) {
  ++calls.credentials;
  if (const auto error = enter("credentials by id", deadline)) co_return fail(*error);
  const auto found = rows.find(id);
  if (found == rows.end()) co_return std::nullopt;
  co_return Credentials{.user = get(id), .password_hash = found->second.hash};
}

Task<Result<void>> MemoryUserStore::rehash(Rehash rehash, Deadline deadline) {
  ++calls.rehash;
  if (const auto error = enter("rehash", deadline)) co_return fail(*error);
  const auto found = rows.find(rehash.id);
  if (found != rows.end() && found->second.hash == rehash.old_hash)
    found->second.hash = rehash.new_hash;
  co_return Result<void>{};
}

Task<Result<void>> MemoryUserStore::end_sessions(UserId id, Deadline deadline) {
  ++calls.end_sessions;
  if (const auto error = enter("end_sessions", deadline)) co_return fail(*error);
  if (!rows.contains(id)) co_return fail(rules::no_such_user());
  bump_epoch(id);
  co_return Result<void>{};
}

Task<Result<void>> MemoryUserStore::invalidate(UserId id, Deadline deadline) {
  if (const auto error = enter("invalidate", deadline)) co_return fail(*error);
  cached.erase(id);
  co_return Result<void>{};
}

// MemorySessionStore

std::optional<Error> MemorySessionStore::enter(const char* name, Deadline deadline) {
  names.emplace_back(name);
  deadlines.push_back(deadline.at);
  return failure;
}

SessionRef MemorySessionStore::look_up(const SessionId& id) const {
  const auto found = rows.find(id);
  return found == rows.end() ? nullptr : found->second;
}

std::optional<SessionReading> MemorySessionStore::find_now(const SessionId& id, const ReadOptions&,
                                                           BootTime) {
  ++calls.find_now;
  if (!in_memory) return std::nullopt;
  return SessionReading{.value = look_up(id), .source = Source::l1};
}

Task<Result<SessionReading>> MemorySessionStore::find(SessionId id, ReadOptions options) {
  return on_find ? on_find() : find_row(id, options);
}

Task<Result<SessionReading>> MemorySessionStore::find_row(SessionId id, ReadOptions options) {
  ++calls.find;
  deadlines.push_back(options.deadline.at);
  if (options.from_primary) ++calls.from_primary;
  if (failure) co_return fail(*failure);
  if (before_find) before_find();
  SessionReading reading{.value = look_up(id)};
  if (after_find) after_find();
  co_return reading;
}

Task<Result<CreatedSession>> MemorySessionStore::create(NewSession wanted, Deadline deadline) {
  ++calls.create;
  if (before_create) before_create();
  if (const auto error = enter("create", deadline)) co_return fail(*error);
  const auto row = users_.rows.find(wanted.user_id);
  if (row == users_.rows.end() || !row->second.user.is_active ||
      (wanted.verified_hash && !(*wanted.verified_hash == row->second.hash))) {
    co_return fail(ErrorCode::invalid_credentials);
  }
  User& user = row->second.user;
  if (wanted.kind == SessionKind::login) user.last_login_at = wanted.created_at;
  auto session = std::make_shared<const Session>(rules::session_under(user.auth_epoch, wanted));
  rows.insert_or_assign(wanted.id, session);
  co_return CreatedSession{.session = std::move(session), .user = make_record(user)};
}

Task<Result<void>> MemorySessionStore::revoke(Revoke revoke, Deadline deadline) {
  if (const auto error = enter("revoke", deadline)) co_return fail(*error);
  const auto found = rows.find(revoke.id);
  if (found == rows.end() || (revoke.owner && found->second->user_id != *revoke.owner))
    co_return fail(ErrorCode::not_found);
  rows.erase(found);
  co_return Result<void>{};
}

Task<Result<std::vector<SessionRef>>> MemorySessionStore::list(UserId user, Deadline deadline) {
  if (const auto error = enter("list", deadline)) co_return fail(*error);
  std::vector<SessionRef> valid;
  const auto row = users_.rows.find(user);
  if (row == users_.rows.end()) co_return valid;
  for (const auto& [id, session] : rows) {
    if (session->user_id == user && session->auth_epoch == row->second.user.auth_epoch &&
        clock_.wall_now() < session->expires_at) {
      valid.push_back(session);
    }
  }
  std::ranges::sort(valid, std::greater{}, [](const SessionRef& s) { return s->created_at; });
  co_return valid;
}

Task<Result<std::int64_t>> MemorySessionStore::purge(Purge purge, Deadline deadline) {
  if (const auto error = enter("purge", deadline)) co_return fail(*error);
  co_return static_cast<std::int64_t>(
      std::erase_if(rows, [&](const auto& entry) { return entry.second->expires_at < purge.now; }));
}

// MemorySigningKeyStore

Task<Result<std::vector<SigningKey>>> MemorySigningKeyStore::list(Deadline) {
  ++lists;
  if (failure) co_return fail(*failure);
  co_return rows;
}

Task<Result<SigningKey>> MemorySigningKeyStore::insert_first(SigningKey key, Deadline) {
  if (failure) co_return fail(*failure);
  const auto usable = std::ranges::find_if(
      rows, [](const SigningKey& row) { return !row.retired_at && !row.revoked_at; });
  if (usable != rows.end()) co_return *usable;
  rows.insert(rows.begin(), key);
  co_return key;
}

Task<Result<void>> MemorySigningKeyStore::rotate(Rotate rotate, Deadline) {
  if (failure) co_return fail(*failure);
  for (SigningKey& row : rows) {
    if (row.retired_at) continue;
    row.retired_at = rotate.now;
    row.verify_until = rotate.old_verify_until;
  }
  rows.insert(rows.begin(), std::move(rotate.key));
  co_return Result<void>{};
}

Task<Result<void>> MemorySigningKeyStore::revoke(Revoke revoke, Deadline) {
  if (failure) co_return fail(*failure);
  const auto found = std::ranges::find(rows, revoke.kid, &SigningKey::kid);
  if (found == rows.end()) co_return fail(ErrorCode::not_found);
  found->revoked_at = revoke.now;
  co_return Result<void>{};
}

}  // namespace um::test
