// FakeUserStore: a UserStore in memory, for unit tests of what stands above it. It keeps what is
// promised about credentials, epochs and uniqueness, counts calls, and fails when told to. Lists
// and search are as simple as possible. For one thread.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "storage/user_store.hpp"

namespace um::testing {

class FakeUserStore final : public UserStore {
 public:
  struct Row {
    User user;
    Secret hash;
  };
  struct Calls {
    int find = 0;
    int find_now = 0;
    int credentials = 0;
    int rehash = 0;
    int end_sessions = 0;
  };

  explicit FakeUserStore(const Clock& clock) : clock_{clock} {}

  std::map<UserId, Row> rows;
  Calls calls;
  std::optional<Error> failure;  // what every call answers while it is set
  bool in_memory = false;        // does find_now know everything?

  UserRef add(NewUser made) {
    const WallTime now = clock_.wall_now();
    const UserId id = made.id.value_or(*UserId::from(++last_id_));
    User user{.id = id, .email = std::move(made.email)};
    user.username = std::move(made.username);
    user.first_name = std::move(made.first_name);
    user.last_name = std::move(made.last_name);
    user.role = made.role;
    user.is_active = made.is_active;
    user.quota_usd = made.quota_usd;
    user.used_usd = made.used_usd;
    user.model_capability_settings = std::move(made.model_capability_settings);
    user.created_at = made.created_at.value_or(now);
    user.updated_at = now;
    user.version = ++last_version_;
    user.auth_epoch = ++last_epoch_;
    const auto row =
        rows.insert_or_assign(id, Row{.user = std::move(user), .hash = made.password_hash}).first;
    return make_record(row->second.user);
  }

  std::optional<UserReading> find_now(UserId id, const ReadOptions&, BootTime) override {
    ++calls.find_now;
    if (!in_memory) return std::nullopt;
    return UserReading{.value = record(id), .source = Source::l1};
  }
  Task<Result<UserReading>> find(UserId id, ReadOptions) override {
    ++calls.find;
    if (failure) co_return fail(*failure);
    co_return UserReading{.value = record(id)};
  }
  Task<Result<UserReading>> find(Email email, ReadOptions) override {
    ++calls.find;
    if (failure) co_return fail(*failure);
    const Row* row = by_email(email);
    co_return UserReading{.value = row ? make_record(row->user) : nullptr};
  }

  Task<Result<std::vector<UserRef>>> list(Page page, Deadline) override {
    co_return matching({}, page);
  }
  Task<Result<std::vector<UserRef>>> search(std::string keyword, Page page, Deadline) override {
    co_return matching(keyword, page);
  }
  Task<Result<std::int64_t>> count(std::string keyword, Deadline) override {
    const auto all = matching(keyword, {.limit = 1'000'000});
    co_return static_cast<std::int64_t>(all.size());
  }
  Task<Result<bool>> has_admin(Deadline) override {
    co_return std::ranges::any_of(rows, [](const auto& entry) {
      return entry.second.user.role == Role::admin && entry.second.user.is_active;
    });
  }

  Task<Result<UserRef>> insert(NewUser user, Deadline) override {
    if (failure) co_return fail(*failure);
    if (by_email(user.email)) co_return fail(ErrorCode::email_taken);
    co_return add(std::move(user));
  }
  Task<Result<std::vector<Result<UserId>>>> insert_many(InsertMany batch, Deadline) override {
    std::vector<Result<UserId>> ids;
    for (NewUser& user : batch.users) {
      if (by_email(user.email)) {
        ids.emplace_back(fail(ErrorCode::email_taken));
      } else {
        ids.emplace_back(add(std::move(user))->user.id);
      }
    }
    co_return ids;
  }
  Task<Result<UserRef>> update(UpdateUser update, Deadline) override {
    if (failure) co_return fail(*failure);
    const auto found = rows.find(update.id);
    if (found == rows.end()) co_return fail(ErrorCode::not_found);
    if (update.expected && update.expected->version != found->second.user.version) {
      co_return fail(ErrorCode::conflict);
    }
    apply(update.change, found->second);
    co_return make_record(found->second.user);
  }
  Task<Result<void>> remove(RemoveUser request, Deadline) override {
    if (failure) co_return fail(*failure);
    if (rows.erase(request.id) == 0) co_return fail(ErrorCode::not_found);
    co_return Result<void>{};
  }

  Task<Result<UsageTotals>> add_usage(UsageRecord usage, Deadline) override {
    const auto found = rows.find(usage.user);
    if (found == rows.end()) co_return fail(ErrorCode::not_found);
    const auto sum = found->second.user.used_usd.plus(usage.amount);
    if (!sum) co_return fail(ErrorCode::invalid);
    found->second.user.used_usd = *sum;
    co_return UsageTotals{.used_usd = *sum, .quota_usd = found->second.user.quota_usd};
  }

  Task<Result<std::optional<Credentials>>> credentials(Email email, Deadline) override {
    ++calls.credentials;
    if (failure) co_return fail(*failure);
    co_return credentials_of(by_email(email));
  }
  Task<Result<std::optional<Credentials>>> credentials(UserId id, Deadline) override {
    ++calls.credentials;
    if (failure) co_return fail(*failure);
    const auto found = rows.find(id);
    co_return credentials_of(found == rows.end() ? nullptr : &found->second);
  }
  Task<Result<void>> rehash(Rehash rehash, Deadline) override {
    ++calls.rehash;
    if (failure) co_return fail(*failure);
    const auto found = rows.find(rehash.id);
    if (found != rows.end() && found->second.hash == rehash.old_hash) {
      found->second.hash = rehash.new_hash;
    }
    co_return Result<void>{};
  }
  Task<Result<void>> end_sessions(UserId id, Deadline) override {
    ++calls.end_sessions;
    if (failure) co_return fail(*failure);
    const auto found = rows.find(id);
    if (found == rows.end()) co_return fail(ErrorCode::not_found);
    bump_epoch(id);
    co_return Result<void>{};
  }
  Task<Result<void>> invalidate(UserId, Deadline) override { co_return Result<void>{}; }

  void bump_epoch(UserId id) { rows.at(id).user.auth_epoch = ++last_epoch_; }
  void disable(UserId id) {
    rows.at(id).user.is_active = false;
    bump_epoch(id);
  }

 private:
  UserRef record(UserId id) const {
    const auto found = rows.find(id);
    return found == rows.end() ? nullptr : make_record(found->second.user);
  }
  const Row* by_email(const Email& email) const {
    const auto found = std::ranges::find_if(
        rows, [&](const auto& entry) { return entry.second.user.email == email; });
    return found == rows.end() ? nullptr : &found->second;
  }
  static std::optional<Credentials> credentials_of(const Row* row) {
    if (row == nullptr) return std::nullopt;
    return Credentials{.user = make_record(row->user), .password_hash = row->hash};
  }
  std::vector<UserRef> matching(const std::string& keyword, Page page) const {
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
  template <class T>
  static void assign(std::optional<T>& from, T& to) {
    if (from) to = std::move(*from);
  }
  void apply(UserChange& change, Row& row) {
    User& user = row.user;
    assign(change.email, user.email);
    assign(change.username, user.username);
    assign(change.first_name, user.first_name);
    assign(change.last_name, user.last_name);
    assign(change.role, user.role);
    assign(change.is_active, user.is_active);
    assign(change.quota_usd, user.quota_usd);
    assign(change.model_capability_settings, user.model_capability_settings);
    assign(change.password_hash, row.hash);
    if (change.password_hash || change.is_active == false) bump_epoch(user.id);
    user.version = ++last_version_;
    user.updated_at = clock_.wall_now();
  }

  const Clock& clock_;
  std::int64_t last_id_ = 0;
  std::int64_t last_version_ = 0;
  std::int64_t last_epoch_ = 100;
};

}  // namespace um::testing
