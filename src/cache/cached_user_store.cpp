#include "cache/cached_user_store.hpp"

namespace um {
namespace {

UserReading l1_reading(UserRef user) {
  return {.value = std::move(user), .source = Source::l1};
}
UserReading l2_reading(UserRef user) {
  return {.value = std::move(user), .source = Source::l2};
}

// The admitted value of an id from L2.
Task<std::optional<UserReading>> fetch_user(L2& level, UserId id, Deadline deadline) {
  const auto fact = co_await level.fetch(EntryKind::user, CacheKey::of(id).str(), deadline);
  if (!fact) co_return std::nullopt;
  const auto* user = std::get_if<UserRef>(&*fact);
  co_return l2_reading(user == nullptr ? nullptr : *user);
}

}  // namespace

class CachedUserStore::ById final : public ReadThrough<UserRecord>::Lookup {
 public:
  ById(CachedUserStore& store, UserId id) : store_{store}, id_{id} {}
  EntryKind kind() const override { return EntryKind::user; }
  std::string key() const override { return CacheKey::of(id_).str(); }
  std::optional<UserReading> from_memory() override { return store_.remembered(id_); }
  Task<Result<UserReading>> from_primary(ReadOptions options) override {
    return store_.inner_.find(id_, options);
  }
  Task<std::optional<UserReading>> from_l2(L2& level, Deadline deadline) override {
    return fetch_user(level, id_, deadline);
  }
  Facts facts(const UserReading& reading) const override {
    L1Value value = Absent{};
    if (reading.value) value = reading.value;
    return {{key(), std::move(value)}};
  }

 private:
  CachedUserStore& store_;
  const UserId id_;
};

class CachedUserStore::ByEmail final : public ReadThrough<UserRecord>::Lookup {
 public:
  ByEmail(CachedUserStore& store, const Email& email) : store_{store}, email_{email} {}
  EntryKind kind() const override { return EntryKind::email; }
  std::string key() const override { return CacheKey::of(email_).str(); }
  std::optional<UserReading> from_memory() override { return store_.remembered(email_); }
  Task<Result<UserReading>> from_primary(ReadOptions options) override {
    return store_.inner_.find(email_, options);
  }
  // The id of the address, then the user, each from the nearest level that has it.
  Task<std::optional<UserReading>> from_l2(L2& level, Deadline deadline) override {
    std::optional<L1Value> owner = store_.cache_.coherence().look_up(key());
    if (!owner) owner = co_await level.fetch(EntryKind::email, key(), deadline);
    if (!owner) co_return std::nullopt;
    const auto* id = std::get_if<UserId>(&*owner);
    if (id == nullptr) co_return l2_reading(nullptr);
    std::optional<UserReading> user = store_.remembered(*id);
    if (!user) user = co_await fetch_user(level, *id, deadline);
    if (!user || !user->value || !(user->value->user.email == email_)) co_return std::nullopt;
    co_return user;
  }
  Facts facts(const UserReading& reading) const override {
    if (!reading.value) return {{key(), Absent{}}};
    const UserId id = reading.value->user.id;
    return {{key(), id}, {CacheKey::of(id).str(), reading.value}};
  }

 private:
  CachedUserStore& store_;
  const Email& email_;
};

std::optional<UserReading> CachedUserStore::find_now(UserId id, const ReadOptions& options,
                                                     BootTime now) {
  return reads_.now(options, now, [&] { return remembered(id); });
}

std::optional<UserReading> CachedUserStore::find_now(const Email& email, const ReadOptions& options,
                                                     BootTime now) {
  return reads_.now(options, now, [&] { return remembered(email); });
}

Task<Result<UserReading>> CachedUserStore::find(UserId id, ReadOptions options) {
  ById lookup{*this, id};
  Result<UserReading> answer = co_await reads_.find(lookup, options, most_stale(options));
  co_return answer;
}

Task<Result<UserReading>> CachedUserStore::find(Email email, ReadOptions options) {
  ByEmail lookup{*this, email};
  Result<UserReading> answer = co_await reads_.find(lookup, options, most_stale(options));
  co_return answer;
}

Task<Result<void>> CachedUserStore::invalidate(UserId id, Deadline deadline) {
  L2& level = cache_.l2();
  std::vector<std::string> keys{CacheKey::of(id).str()};
  if (level.there()) {
    const Result<UserReading> known = co_await inner_.find(id, {.deadline = deadline});
    if (known && known->value) keys.push_back(CacheKey::of(known->value->user.email).str());
  }
  Result<void> announced = co_await inner_.invalidate(id, deadline);
  if (announced && level.there()) {
    const BootTime bound = cache_.clock().now() + cache_.l2_time();
    for (std::string& key : keys)
      co_await level.forget(std::move(key), {std::min(deadline.at, bound)});
  }
  co_return announced;
}

std::optional<UserReading> CachedUserStore::remembered(UserId id) {
  auto value = cache_.coherence().look_up(CacheKey::of(id).view());
  if (!value) return std::nullopt;
  if (auto* user = std::get_if<UserRef>(&*value)) return l1_reading(std::move(*user));
  return l1_reading(nullptr);
}

std::optional<UserReading> CachedUserStore::remembered(const Email& email) {
  const auto owner = cache_.coherence().look_up(CacheKey::of(email).view());
  if (!owner) return std::nullopt;
  const auto* id = std::get_if<UserId>(&*owner);
  if (id == nullptr) return l1_reading(nullptr);
  auto user = remembered(*id);
  // The user was deleted or got another address since the first look-up: only the primary knows the
  // present owner of the address.
  if (!user || !user->value || !(user->value->user.email == email)) return std::nullopt;
  return user;
}

}  // namespace um
