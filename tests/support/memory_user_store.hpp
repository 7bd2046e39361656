// MemoryUserStore: a UserStore in a map, for tests of use cases. It keeps the promises of
// storage/user_store.hpp that such tests lean on: unique addresses and names, compare-and-set,
// versions that never repeat, the last administrator. One thread only.
//
// `cached` stands for a cache above it: those rows are answered as from memory, however old, until
// the primary is asked. `before_update` runs at the start of every update: another client's change.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/user_store.hpp"

namespace um::test {

class MemoryUserStore final : public UserStore {
 public:
  struct Calls {
    int find = 0;
    int find_primary = 0;
    int insert = 0;
    int update = 0;
    int remove = 0;
  };
  Calls calls{};
  std::map<UserId, UserRef> cached{};
  std::function<void()> before_update{};
  std::optional<UserChange> last_change{};
  std::optional<Error> insert_failure{};  // what every insert answers while it is set
  std::vector<Deadline> deadlines{};      // of every call that had one, in order

  // Stores `user` as it is, with the next version.
  UserRef put(User user, Secret password_hash = {}) {
    user.version = ++last_version_;
    UserRef record = make_record(std::move(user));
    rows_.insert_or_assign(record->user.id, Row{record, std::move(password_hash)});
    return record;
  }
  UserRef get(UserId id) const {
    const auto found = rows_.find(id);
    return found == rows_.end() ? nullptr : found->second.record;
  }
  Secret hash_of(UserId id) const { return rows_.at(id).password_hash; }
  // Somebody else's change, past every check.
  void change_behind(UserId id, const std::function<void(User&)>& change) {
    User user = get(id)->user;
    change(user);
    put(std::move(user), hash_of(id));
  }

  Task<Result<UserReading>> find(UserId id, ReadOptions options) override {
    ++calls.find;
    deadlines.push_back(options.deadline);
    if (options.from_primary) ++calls.find_primary;
    if (const auto hit = cached.find(id); hit != cached.end() && !options.from_primary)
      co_return UserReading{.value = hit->second, .source = Source::l1};
    co_return UserReading{.value = get(id)};
  }
  Task<Result<UserReading>> find(Email email, ReadOptions options) override {
    ++calls.find;
    deadlines.push_back(options.deadline);
    for (const auto& [id, row] : rows_) {
      if (row.record->user.email == email) co_return UserReading{.value = row.record};
    }
    co_return UserReading{};
  }

  Task<Result<std::vector<UserRef>>> list(Page page, Deadline deadline) override {
    deadlines.push_back(deadline);
    co_return page_of(page, {});
  }
  Task<Result<std::vector<UserRef>>> search(std::string keyword, Page page, Deadline) override {
    co_return page_of(page, keyword);
  }
  Task<Result<std::int64_t>> count(std::string keyword, Deadline) override {
    co_return static_cast<std::int64_t>(page_of({.limit = 1'000'000}, keyword).size());
  }
  Task<Result<bool>> has_admin(Deadline) override { co_return admins() > 0; }

  Task<Result<UserRef>> insert(NewUser user, Deadline deadline) override {
    deadlines.push_back(deadline);
    ++calls.insert;
    if (insert_failure) co_return fail(*insert_failure);
    const UserId id = user.id.value_or(*UserId::from(static_cast<std::int64_t>(rows_.size()) + 1));
    User row{.id = id, .email = user.email};
    row.username = user.username;
    row.first_name = user.first_name;
    row.last_name = user.last_name;
    row.role = user.role;
    row.is_active = user.is_active;
    row.quota_usd = user.quota_usd;
    row.model_capability_settings = user.model_capability_settings;
    const Result<void> free = check_free(row);
    if (!free) co_return fail(free.error());
    co_return put(std::move(row), std::move(user.password_hash));
  }
  Task<Result<std::vector<Result<UserId>>>> insert_many(InsertMany, Deadline) override {
    co_return fail(ErrorCode::internal, "not part of this fake");
  }

  Task<Result<UserRef>> update(UpdateUser update, Deadline deadline) override {
    deadlines.push_back(deadline);
    ++calls.update;
    if (before_update) before_update();
    last_change = update.change;
    const UserRef current = get(update.id);
    if (!current) co_return fail(ErrorCode::not_found);
    if (!expected(update.expected, *current)) co_return fail(ErrorCode::conflict);
    User user = changed(current->user, update.change);
    const Result<void> free = check_free(user);
    if (!free) co_return fail(free.error());
    if (loses_last_admin(current->user, user)) co_return fail(ErrorCode::last_admin);
    co_return put(std::move(user), update.change.password_hash.value_or(hash_of(update.id)));
  }
  Task<Result<void>> remove(RemoveUser request, Deadline deadline) override {
    deadlines.push_back(deadline);
    ++calls.remove;
    if (before_update) before_update();
    const UserRef current = get(request.id);
    if (!current) co_return fail(ErrorCode::not_found);
    if (!expected(request.expected, *current)) co_return fail(ErrorCode::conflict);
    if (active_admin(current->user) && admins() == 1) co_return fail(ErrorCode::last_admin);
    rows_.erase(request.id);
    co_return Result<void>{};
  }

  Task<Result<UsageTotals>> add_usage(UsageRecord usage, Deadline) override {
    const UserRef current = get(usage.user);
    if (!current) co_return fail(ErrorCode::not_found);
    User user = current->user;
    user.used_usd = user.used_usd.plus(usage.amount).value_or(user.used_usd);
    ++user.counters_version;
    const UsageTotals totals{.used_usd = user.used_usd, .quota_usd = user.quota_usd};
    rows_.at(usage.user).record = make_record(std::move(user));
    co_return totals;
  }

  Task<Result<std::optional<Credentials>>> credentials(Email email, Deadline) override {
    for (const auto& [id, row] : rows_) {
      if (row.record->user.email == email) co_return credentials_of(id);
    }
    co_return std::optional<Credentials>{};
  }
  Task<Result<std::optional<Credentials>>> credentials(UserId id, Deadline deadline) override {
    deadlines.push_back(deadline);
    co_return credentials_of(id);
  }
  Task<Result<void>> rehash(Rehash, Deadline) override { co_return Result<void>{}; }
  Task<Result<void>> end_sessions(UserId id, Deadline) override {
    change_behind(id, [](User& user) { ++user.auth_epoch; });
    co_return Result<void>{};
  }
  Task<Result<void>> invalidate(UserId id, Deadline) override {
    cached.erase(id);
    co_return Result<void>{};
  }

 private:
  struct Row {
    UserRef record;
    Secret password_hash;
  };

  static bool active_admin(const User& user) { return user.role == Role::admin && user.is_active; }
  std::ptrdiff_t admins() const {
    return std::ranges::count_if(
        rows_, [](const auto& row) { return active_admin(row.second.record->user); });
  }
  bool loses_last_admin(const User& before, const User& after) const {
    return active_admin(before) && !active_admin(after) && admins() == 1;
  }
  static bool expected(const std::optional<Revision>& revision, const UserRecord& row) {
    return !revision || (revision->version == row.revision.version &&
                         (revision->digest.empty() || revision->digest == row.revision.digest));
  }
  std::optional<Credentials> credentials_of(UserId id) const {
    if (!get(id)) return std::nullopt;
    return Credentials{.user = get(id), .password_hash = hash_of(id)};
  }
  Result<void> check_free(const User& user) const {
    for (const auto& [id, row] : rows_) {
      const User& other = row.record->user;
      if (id == user.id) continue;
      if (other.email == user.email) return fail(ErrorCode::email_taken);
      if (user.username && other.username &&
          fold_ascii(*user.username) == fold_ascii(*other.username))
        return fail(ErrorCode::username_taken);
    }
    return {};
  }
  static User changed(User user, const UserChange& change) {
    if (change.email) user.email = *change.email;
    if (change.username) user.username = *change.username;
    if (change.first_name) user.first_name = *change.first_name;
    if (change.last_name) user.last_name = *change.last_name;
    if (change.role) user.role = *change.role;
    if (change.is_active) user.is_active = *change.is_active;
    if (change.quota_usd) user.quota_usd = *change.quota_usd;
    if (change.model_capability_settings)
      user.model_capability_settings = *change.model_capability_settings;
    if (change.password_hash) ++user.auth_epoch;
    return user;
  }
  std::vector<UserRef> page_of(Page page, const std::string& keyword) const {
    std::vector<UserRef> users;
    for (const auto& [id, row] : rows_) {
      if (page.after && id <= *page.after) continue;
      if (row.record->user.email.folded().find(keyword) == std::string::npos) continue;
      if (page.offset-- > 0) continue;
      if (static_cast<std::int64_t>(users.size()) == page.limit) break;
      users.push_back(row.record);
    }
    return users;
  }

  std::map<UserId, Row> rows_;
  std::int64_t last_version_ = 0;
};

}  // namespace um::test
