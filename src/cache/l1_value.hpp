// L1Value: the value that can be stored under a cache key, and its cost.
//
//   user:<id>        UserRef, or Absent
//   email:<folded>   UserId of the user with this address, or Absent
//   session:<sid>    SessionRef, or Absent
//
// The value of an address is an id and not a user: a change of the user's name touches only the key
// of the id, so a user stored under the address would become stale unnoticed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "user/session.hpp"
#include "user/user.hpp"

namespace um {

struct Absent {};
using L1Value = std::variant<Absent, UserId, UserRef, SessionRef>;

// In the order of the alternatives of L1Value.
enum class EntryKind : std::uint8_t { absent, email, user, session };
inline constexpr std::size_t kEntryKinds = 4;
inline constexpr std::array<std::string_view, kEntryKinds> kEntryKindNames{"absent", "email",
                                                                           "user", "session"};
inline EntryKind kind_of(const L1Value& value) {
  return static_cast<EntryKind>(value.index());
}

// The cost of one allocation of `bytes`: glibc keeps 8 bytes before each chunk and rounds up to 16,
// at least 32 (malloc/malloc.c, request2size).
constexpr std::size_t heap_cost_bytes(std::size_t bytes) {
  const std::size_t chunk = (bytes + 8 + 15) & ~std::size_t{15};
  return chunk < 32 ? 32 : chunk;
}

// All heap memory that the value keeps: the object, its control block, its strings. An object that
// a request uses at the same time is charged as well: it stays longer in L1.
std::size_t heap_cost_bytes(const L1Value& value);

}  // namespace um
