// RequestId: what an answer and its log line are found by. Taken over from the client if it is
// sane, so that one id follows a request through several services; made new otherwise.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace um::api {

class RequestId {
 public:
  static constexpr std::size_t kMaxBytes = 128;

  RequestId() = default;                     // empty
  explicit RequestId(std::uint64_t number);  // 16 hex digits

  std::string_view view() const { return {text_.data(), size_}; }
  // 1 to kMaxBytes of A-Z a-z 0-9 . _ -
  static bool is_sane(std::string_view text);

 private:
  std::array<char, 16> text_{};
  std::size_t size_ = 0;
};

// Makes ids that do not repeat within a process and start elsewhere in every process. They name
// requests and protect nothing: who must not guess them is not kept from it.
// Thread safety: any thread; one atomic addition.
class RequestIds {
 public:
  explicit RequestIds(std::uint64_t seed) : seed_{seed} {}
  RequestId next();

 private:
  std::uint64_t seed_;
  alignas(64) std::atomic<std::uint64_t> count_{0};
};

}  // namespace um::api
