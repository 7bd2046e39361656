// The contract suites on SQLite.
#include "contract/sqlite_under_test.hpp"

namespace um::test {

#define UM_ON_SQLITE(Suite) \
  INSTANTIATE_TEST_SUITE_P(Sqlite, Suite, ::testing::Values(sqlite_backend()), name_of)

UM_ON_SQLITE(UserStoreContract);
UM_ON_SQLITE(UserSearchContract);
UM_ON_SQLITE(UserStoreConcurrencyContract);
UM_ON_SQLITE(SessionStoreContract);
UM_ON_SQLITE(SigningKeyStoreContract);
UM_ON_SQLITE(ChangeFeedContract);

}  // namespace um::test
