// bcrypt (Provos, Mazières: "A Future-Adaptable Password Scheme", 1999) as libxcrypt computes it,
// on the calling thread. For event loops there is PasswordHasher. Thread safety: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace um::bcrypt {

constexpr int kMinCost = 4;
constexpr int kMaxCost = 14;  // about 0.8 s: the most that a stored hash may cost a sign-in
constexpr std::size_t kMaxPasswordBytes = 72;

// The cost of a hash that verify() can check: "$2a$", "$2b$" or "$2y$", two digits, 53 characters.
// nullopt for everything else.
std::optional<int> supported_cost(std::string_view hash);

// "$2b$…" with a salt from the system's generator. invalid: not 1 to 72 bytes, or with NUL, or a
// cost out of range.
Result<Secret> hash(const Secret& password, int cost);

// False for a hash that is not supported. Only the first 72 bytes count, as in every bcrypt; a
// password with NUL never matches. The prefixes mean one and the same correct algorithm:
// libxcrypt's own "$2a$" deviates for some passwords with bytes ≥ 0x80, on purpose, from what other
// programs stored under it.
bool verify(const Secret& password, const Secret& hash);

// A hash of no password. Checking it takes as long as checking any other hash of this cost.
Secret unmatchable(int cost);

}  // namespace um::bcrypt
