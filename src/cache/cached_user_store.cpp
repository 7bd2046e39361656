#include "cache/cached_user_store.hpp"

namespace um {
namespace {

UserReading from_l1(UserRef user) {
  return {.value = std::move(user), .source = Source::l1};
}
UserReading from_l2(UserRef user) {
  return {.value = std::move(user), .source = Source::l2};
}

// What the second level knows under the key of an id; memory has it now.
Task<std::optional<UserReading>> fetch_user(SecondLevel& level, UserId id, Deadline deadline) {
  const auto fact = co_await level.fetch(EntryKind::user, CacheKey::of(id).str(), deadline);
  if (!fact) co_return std::nullopt;
  const auto* user = std::get_if<UserRef>(&*fact);
  co_return from_l2(user == nullptr ? nullptr : *user);
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
  Task<std::optional<UserReading>> from_second_level(SecondLevel& level,
                                                     Deadline deadline) override {
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
  // First whose the address is, then the user, each from the nearest place that knows.
  Task<std::optional<UserReading>> from_second_level(SecondLevel& level,
                                                     Deadline deadline) override {
    std::optional<L1Value> owner = store_.cache_.coherence().look_up(key());
    if (!owner) owner = co_await level.fetch(EntryKind::email, key(), deadline);
    if (!owner) co_return std::nullopt;
    const auto* id = std::get_if<UserId>(&*owner);
    if (id == nullptr) co_return from_l2(nullptr);
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
  SecondLevel& level = cache_.second_level();
  std::vector<std::string> keys{CacheKey::of(id).str()};
  if (level.there()) {
    const Result<UserReading> known = co_await inner_.find(id, {.deadline = deadline});
    if (known && known->value) keys.push_back(CacheKey::of(known->value->user.email).str());
  }
  Result<void> announced = co_await inner_.invalidate(id, deadline);
  if (announced && level.there()) {
    const BootTime bound = cache_.clock().now() + cache_.second_level_time();
    for (std::string& key : keys)
      co_await level.forget(std::move(key), {std::min(deadline.at, bound)});
  }
  co_return announced;
}

std::optional<UserReading> CachedUserStore::remembered(UserId id) {
  auto value = cache_.coherence().look_up(CacheKey::of(id).view());
  if (!value) return std::nullopt;
  if (auto* user = std::get_if<UserRef>(&*value)) return from_l1(std::move(*user));
  return from_l1(nullptr);
}

std::optional<UserReading> CachedUserStore::remembered(const Email& email) {
  const auto owner = cache_.coherence().look_up(CacheKey::of(email).view());
  if (!owner) return std::nullopt;
  const auto* id = std::get_if<UserId>(&*owner);
  if (id == nullptr) return from_l1(nullptr);
  auto user = remembered(*id);
  // Gone or renamed since the first look-up: which of the two answers is the right one, the primary
  // says.
  if (!user || !user->value || !(user->value->user.email == email)) return std::nullopt;
  return user;
}

}  // namespace um
