// The contract suites on a cache around PostgreSQL.
#include "contract/cached_under_test.hpp"
#include "contract/postgres_setup.hpp"

namespace um::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Postgres, CachedContract, ::testing::Values(postgres_backend()), name_of);

Backend cached_backend() {
  return {"postgres", [] { return std::make_unique<CachedUnderTest>(postgres_backend()); }};
}

#define UM_ON_CACHE(Suite) \
  INSTANTIATE_TEST_SUITE_P(Cached, Suite, ::testing::Values(cached_backend()), name_of)

UM_ON_CACHE(UserStoreContract);
UM_ON_CACHE(UserSearchContract);
UM_ON_CACHE(UserStoreConcurrencyContract);
UM_ON_CACHE(SessionStoreContract);

}  // namespace
}  // namespace um::test
