// How much a test tries: the gate (./test --all) and tools/nightly set UM_THOROUGH, and then
// searches are exhaustive and random runs long. Without it, and with a sanitizer, each does a part
// of the same.
#pragma once

#include <cstdlib>

namespace um::test {

inline bool is_thorough() {
  return std::getenv("UM_THOROUGH") != nullptr;  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace um::test
