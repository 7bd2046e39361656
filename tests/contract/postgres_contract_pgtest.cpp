// The contract suites on PostgreSQL, and on a cache around it.
#include "contract/cached_under_test.hpp"

namespace um::test {
namespace {

#define UM_ON_POSTGRES(Suite) \
  INSTANTIATE_TEST_SUITE_P(Postgres, Suite, ::testing::Values(postgres_backend()), name_of)

UM_ON_POSTGRES(UserStoreContract);
UM_ON_POSTGRES(UserSearchContract);
UM_ON_POSTGRES(UserStoreConcurrencyContract);
UM_ON_POSTGRES(SessionStoreContract);
UM_ON_POSTGRES(SigningKeyStoreContract);
UM_ON_POSTGRES(ChangeFeedContract);

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
