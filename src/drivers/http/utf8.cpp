#include "drivers/http/utf8.hpp"

#include <cstddef>

namespace um::http {
namespace {

// What may follow a lead byte: how many continuation bytes, and the range of the first of them,
// which is where overlong forms, surrogates and values above U+10FFFF show (table of RFC 3629
// section 4).
struct Sequence {
  std::size_t continuations = 0;  // 0: not a lead byte
  unsigned char first_min = 0x80;
  unsigned char first_max = 0xBF;
};

Sequence sequence_of(unsigned char lead) {
  if (lead < 0xC2) return {};
  if (lead < 0xE0) return {.continuations = 1};
  if (lead == 0xE0) return {.continuations = 2, .first_min = 0xA0};
  if (lead == 0xED) return {.continuations = 2, .first_max = 0x9F};
  if (lead < 0xF0) return {.continuations = 2};
  if (lead == 0xF0) return {.continuations = 3, .first_min = 0x90};
  if (lead < 0xF4) return {.continuations = 3};
  if (lead == 0xF4) return {.continuations = 3, .first_max = 0x8F};
  return {};
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  while (i < text.size()) {
    if (byte(i) < 0x80) {
      ++i;
      continue;
    }
    const Sequence sequence = sequence_of(byte(i));
    if (sequence.continuations == 0 || text.size() - i <= sequence.continuations) return false;
    if (byte(i + 1) < sequence.first_min || byte(i + 1) > sequence.first_max) return false;
    for (std::size_t k = 2; k <= sequence.continuations; ++k) {
      if (byte(i + k) < 0x80 || byte(i + k) > 0xBF) return false;
    }
    i += sequence.continuations + 1;
  }
  return true;
}

}  // namespace um::http
