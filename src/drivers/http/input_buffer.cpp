#include "drivers/http/input_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace um::http {

std::span<char> InputBuffer::prepare(std::size_t at_most) {
  const std::size_t held = size();
  if (held >= at_most) return {};
  if (end_ == capacity_) {
    if (begin_ > 0) {
      std::memmove(memory_.get(), data(), held);
    } else {
      const std::size_t wanted = std::min(std::max(kInitialBytes, capacity_ * 2), at_most);
      auto larger = std::make_unique_for_overwrite<char[]>(wanted);
      if (held > 0) std::memcpy(larger.get(), data(), held);
      memory_ = std::move(larger);
      capacity_ = wanted;
    }
    begin_ = 0;
    end_ = held;
  }
  return {memory_.get() + end_, std::min(capacity_ - end_, at_most - held)};
}

void InputBuffer::consume(std::size_t size) {
  begin_ += size;
  if (begin_ == end_) begin_ = end_ = 0;
}

void InputBuffer::erase(std::size_t from, std::size_t to) {
  std::memmove(data() + from, data() + to, size() - to);
  end_ -= to - from;
}

void InputBuffer::shrink() {
  if (capacity_ <= kKeptBytes) return;
  memory_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace um::http
