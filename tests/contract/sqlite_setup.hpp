// SQLite files in temporary directories, for the contract suites.
#pragma once

#include "contract/storage_under_test.hpp"

namespace um::test {

Backend sqlite_backend();

}  // namespace um::test
