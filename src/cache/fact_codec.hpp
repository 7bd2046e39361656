// Encodes a fact as bytes, for a store that other instances read as well:
//
//   τ (16 bytes) · xmax (8) · number of xip (4) · xip (8 each, ascending) · kind (1) · value
//
// Integers are little-endian, texts have a length of four bytes, optional members have a byte 0 or
// 1 in front. The value of an absent key is empty; of an address it is the id; of a user all
// members of `User` (the reading program makes the UserRecord, so its representation is that of the
// reader); of a session all members of `Session` except its id, which is in the key.
//
// The bytes do not say which program wrote them; fact_seal.hpp adds that. kFactSchema changes with
// anything above, and with the meaning of a member.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cache/l2_store.hpp"

namespace um {

inline constexpr std::uint16_t kFactSchema = 1;

// REQUIRES: references to users and sessions are not null.
std::string encode_fact(const Fact& fact);

// nullopt: the bytes are not exactly one fact, a value breaks the rules of its type or does not
// belong under this key, or the fact has no namespace.
std::optional<Fact> decode_fact(std::string_view key, std::string_view bytes);

}  // namespace um
