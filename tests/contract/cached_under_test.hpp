// A cache around any storage under test, fed by that storage's own feed.
#pragma once

#include "cache/cached_session_store.hpp"
#include "cache/cached_user_store.hpp"
#include "contract/storage_under_test.hpp"

namespace um::test {

class CachedUnderTest final : public StorageUnderTest {
 public:
  explicit CachedUnderTest(const Backend& backend) : inner_{backend.make()} {
    inner_->storage().changes().start(cache_.coherence());
  }
  ~CachedUnderTest() override { inner_->storage().changes().stop(); }

  Storage& storage() override { return inner_->storage(); }
  UserStore& users() override { return users_; }
  SessionStore& sessions() override { return sessions_; }
  ManualClock& clock() override { return inner_->clock(); }
  void rename_elsewhere(UserId id, std::string last_name) override {
    inner_->rename_elsewhere(id, std::move(last_name));
  }

  CacheStats stats() const { return cache_.stats(); }

 private:
  std::unique_ptr<StorageUnderTest> inner_;
  Cache cache_{{.coherence = {.capacity_bytes = std::size_t{1} << 20}}, inner_->clock()};
  CachedUserStore users_{inner_->users(), cache_};
  CachedSessionStore sessions_{inner_->sessions(), cache_};
};

}  // namespace um::test
