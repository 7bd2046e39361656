// The contract suites on PostgreSQL.
#include "contract/postgres_setup.hpp"

namespace um::test {

#define UM_ON_POSTGRES(Suite) \
  INSTANTIATE_TEST_SUITE_P(Postgres, Suite, ::testing::Values(postgres_backend()), name_of)

UM_ON_POSTGRES(UserStoreContract);
UM_ON_POSTGRES(UserSearchContract);
UM_ON_POSTGRES(UserStoreConcurrencyContract);
UM_ON_POSTGRES(SessionStoreContract);
UM_ON_POSTGRES(SigningKeyStoreContract);
UM_ON_POSTGRES(ChangeFeedContract);

}  // namespace um::test
