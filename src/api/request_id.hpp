// RequestId: names one request in its answer and in the log. An id that the client sent is kept if
// it is sane, so that one id follows a request through several services; otherwise a new one is
// made.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace um::api {

class RequestId {
 public:
  static constexpr std::size_t kMaxBytes = 128;

  RequestId() = default;                                  // empty
  explicit RequestId(std::uint64_t number) : size_{16} {  // 16 hex digits
    for (std::size_t i = size_; i-- > 0; number >>= 4U) {
      text_[i] = "0123456789abcdef"[number & 0xFU];
    }
  }

  std::string_view view() const { return {text_.data(), size_}; }
  // 1 to kMaxBytes of A-Z a-z 0-9 . _ -
  static bool is_sane(std::string_view text) {
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '.' || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= kMaxBytes && std::ranges::all_of(text, allowed);
  }

 private:
  std::array<char, 16> text_{};
  std::size_t size_ = 0;
};

// Makes ids that do not repeat within a process and start elsewhere in every process. An id can be
// guessed, so it must not protect anything. Thread safety: any thread; one atomic addition.
class RequestIds {
 public:
  explicit RequestIds(std::uint64_t seed) : seed_{seed} {}
  RequestId next() {
    return RequestId{mix(seed_ + count_.fetch_add(1, std::memory_order_relaxed))};
  }

 private:
  // The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
  // generators", 2014): a bijection of 64 bits, so ids of different counts differ.
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  std::uint64_t seed_;
  alignas(64) std::atomic<std::uint64_t> count_{0};
};

}  // namespace um::api
