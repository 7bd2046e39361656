// kBroken begins the message of a failure that a busy machine cannot cause: a forbidden answer, or
// a lost write. Continuous integration repeats a failed test once, but not after such a message.
#pragma once

namespace um::test {

inline constexpr const char* kBroken = "PROMISE BROKEN: ";

}  // namespace um::test
