// What tests of the cache share: stamps, users, and stores with answers that a test gives when it
// wants (pause points).
#pragma once

#include <string>
#include <vector>

#include "async/testing/test_loop.hpp"
#include "storage/testing/memory_stores.hpp"

namespace um {

inline constexpr Tau kTau{.high = 1, .low = 1};
inline constexpr Tau kOtherTau{.high = 1, .low = 2};

inline Stamp stamp(Xid xmax, std::vector<Xid> xip = {}, Tau tau = kTau) {
  return {.tau = tau, .snapshot = {.xmax = xmax, .xip = std::move(xip)}};
}
inline UserRef user(std::int64_t id, const char* email, std::int64_t version = 1) {
  return make_record({.id = *UserId::from(id), .email = *Email::parse(email), .version = version});
}

// Stores with a find() that waits for the test. Every other call fails, and is recorded in `names`.
class PausedUserStore final : public test::MemoryUserStore {
 public:
  PausedUserStore() : MemoryUserStore{clock_} {
    on_find = [this] { return finds.call(); };
    failure = Error{.code = ErrorCode::internal, .detail = "not part of this test"};
  }
  PausedCalls<Result<UserReading>> finds;

 private:
  ManualClock clock_;
};

class PausedSessionStore final : public test::MemorySessionStore {
 public:
  PausedSessionStore() : MemorySessionStore{users_, clock_} {
    on_find = [this] { return finds.call(); };
    failure = Error{.code = ErrorCode::internal, .detail = "not part of this test"};
  }
  PausedCalls<Result<SessionReading>> finds;

 private:
  ManualClock clock_;
  test::MemoryUserStore users_{clock_};
};

}  // namespace um
