#include "cache/cached_user_store.hpp"

namespace um {
namespace {

UserReading from_l1(UserRef user) {
  return {.value = std::move(user), .source = Source::l1};
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
  bool admit(const UserReading& reading) override {
    L1Value value = Absent{};
    if (reading.value) value = reading.value;
    return store_.cache_.coherence().admit(CacheKey::of(id_).view(), reading.stamp,
                                           std::move(value)) == Admission::admitted;
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
  bool admit(const UserReading& reading) override {
    Coherence& coherence = store_.cache_.coherence();
    const CacheKey address = CacheKey::of(email_);
    if (!reading.value)
      return coherence.admit(address.view(), reading.stamp, Absent{}) == Admission::admitted;
    const UserId id = reading.value->user.id;
    const auto owner = coherence.admit(address.view(), reading.stamp, id);
    const auto user = coherence.admit(CacheKey::of(id).view(), reading.stamp, reading.value);
    return owner == Admission::admitted && user == Admission::admitted;
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
