// The contract suites on a cache around SQLite.
#include "contract/cached_under_test.hpp"
#include "contract/sqlite_setup.hpp"

namespace um::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Sqlite, CachedContract, ::testing::Values(sqlite_backend()), name_of);

Backend cached_backend() {
  return {"sqlite", [] { return std::make_unique<CachedUnderTest>(sqlite_backend()); }};
}

#define UM_ON_CACHE(Suite) \
  INSTANTIATE_TEST_SUITE_P(Cached, Suite, ::testing::Values(cached_backend()), name_of)

UM_ON_CACHE(UserStoreContract);
UM_ON_CACHE(UserSearchContract);
UM_ON_CACHE(UserStoreConcurrencyContract);
UM_ON_CACHE(SessionStoreContract);

class CachedSqlite : public CachedContract {};
INSTANTIATE_TEST_SUITE_P(Cached, CachedSqlite, ::testing::Values(sqlite_backend()), name_of);

TEST_P(CachedSqlite, WhatAnotherProgramCommittedIsSeenOnceItsFlushIsCounted) {
  const UserId id = add("ann@x.org");
  read(id);
  under_test.rename_elsewhere(id, "Elsewhere");
  poll_until([&] { return under_test.stats().coherence.flushes.contains("foreign_commit"); });
  EXPECT_EQ(read(id)->user.last_name, "Elsewhere");
}

}  // namespace
}  // namespace um::test
