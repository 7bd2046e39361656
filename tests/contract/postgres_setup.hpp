// Databases of a PostgreSQL server, for the contract suites.
#pragma once

#include "contract/storage_under_test.hpp"

namespace um::test {

Backend postgres_backend();

}  // namespace um::test
