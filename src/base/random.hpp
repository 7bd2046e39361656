// Random bytes from the operating system's generator, for identifiers and keys.
// Thread safety: any. Throws std::runtime_error if the generator fails, which is fatal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace um {

void fill_random(std::span<std::byte> out);
std::uint64_t random_u64();
// `bytes` random bytes as lower-case hex: 2 * bytes characters.
std::string random_hex(std::size_t bytes);
// A version 4 UUID (RFC 9562, section 5.4).
std::string random_uuid();

}  // namespace um
