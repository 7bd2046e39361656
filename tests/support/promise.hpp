// kBroken begins the message of a failure that is no accident of a busy machine: an answer that may
// not be given, or a write that was lost. Continuous integration gives a test a second try, but not
// when the first one said this.
#pragma once

namespace um::test {

inline constexpr const char* kBroken = "PROMISE BROKEN: ";

}  // namespace um::test
