#include "cache/cached_session_store.hpp"

namespace um {

class CachedSessionStore::ById final : public ReadThrough<Session>::Lookup {
 public:
  ById(CachedSessionStore& store, const SessionId& id) : store_{store}, id_{id} {}
  EntryKind kind() const override { return EntryKind::session; }
  std::string key() const override { return CacheKey::of(id_).str(); }
  std::optional<SessionReading> from_memory() override { return store_.remembered(id_); }
  Task<Result<SessionReading>> from_primary(ReadOptions options) override {
    return store_.inner_.find(id_, options);
  }
  Task<std::optional<SessionReading>> from_l2(L2& level, Deadline deadline) override {
    const auto fact = co_await level.fetch(EntryKind::session, key(), deadline);
    if (!fact) co_return std::nullopt;
    SessionReading reading{.source = Source::l2};
    if (const auto* session = std::get_if<SessionRef>(&*fact)) reading.value = *session;
    co_return reading;
  }
  Facts facts(const SessionReading& reading) const override {
    L1Value value = Absent{};
    if (reading.value) value = reading.value;
    return {{key(), std::move(value)}};
  }

 private:
  CachedSessionStore& store_;
  const SessionId& id_;
};

std::optional<SessionReading> CachedSessionStore::find_now(const SessionId& id,
                                                           const ReadOptions& options,
                                                           BootTime now) {
  return reads_.now(options, now, [&] { return remembered(id); });
}

Task<Result<SessionReading>> CachedSessionStore::find(SessionId id, ReadOptions options) {
  ById lookup{*this, id};
  Result<SessionReading> answer = co_await reads_.find(lookup, options, cache_.stale_if_error());
  co_return answer;
}

std::optional<SessionReading> CachedSessionStore::remembered(const SessionId& id) {
  auto value = cache_.coherence().look_up(CacheKey::of(id).view());
  if (!value) return std::nullopt;
  SessionReading reading{.source = Source::l1};
  if (auto* session = std::get_if<SessionRef>(&*value)) reading.value = std::move(*session);
  return reading;
}

}  // namespace um
