// A fact as bytes, for a store that other instances read, too:
//
//   τ (16 bytes) · xmax (8) · number of xip (4) · xip (8 each, ascending) · kind (1) · value
//
// Integers little-endian, texts with a length of four bytes, a byte 0 or 1 before what may be
// missing. The value: nothing for an absent one; the id for an address; all members of `User` for a
// user (a UserRecord is made of them again, so that its representation is always that of the
// program that reads); all members of `Session` but its id, which the key has.
//
// Nothing here says who wrote the bytes; that is fact_seal.hpp. kFactSchema changes whenever
// anything above does, or the meaning of a member.
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

// nullopt: not the whole of one fact, a value that breaks the rules of its type, one that cannot
// stand under this key, or a fact without a namespace.
std::optional<Fact> decode_fact(std::string_view key, std::string_view bytes);

}  // namespace um
