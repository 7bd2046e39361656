#include "api/request_id.hpp"

#include <algorithm>

namespace um::api {
namespace {

// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators", 2014): a bijection of 64 bits, so ids of different counts differ.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

bool is_sane_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

RequestId::RequestId(std::uint64_t number) : size_{16} {
  for (std::size_t i = size_; i-- > 0; number >>= 4U) text_[i] = "0123456789abcdef"[number & 0xFU];
}

bool RequestId::is_sane(std::string_view text) {
  return !text.empty() && text.size() <= kMaxBytes && std::ranges::all_of(text, is_sane_character);
}

RequestId RequestIds::next() {
  return RequestId{mix(seed_ + count_.fetch_add(1, std::memory_order_relaxed))};
}

}  // namespace um::api
