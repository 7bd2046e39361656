// InputBuffer: the bytes received and not yet consumed, in one piece of memory.
//
// Invariants: [begin_, end_) are the bytes, end_ <= capacity_; consume() moves nothing. prepare()
// and erase() invalidate pointers into data(). Not thread safe.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace um::http {

class InputBuffer {
 public:
  char* data() { return memory_.get() + begin_; }
  const char* data() const { return memory_.get() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::string_view view() const { return {data(), size()}; }

  // Room for the next read, at least one byte: at the end, else by moving the bytes to the front,
  // else by growing (doubling). Empty if the buffer holds `at_most` bytes already.
  std::span<char> prepare(std::size_t at_most);
  // This many bytes of the prepared room were filled.
  void commit(std::size_t size) { end_ += size; }
  // Takes `size` bytes off the front.
  void consume(std::size_t size);
  // Takes the bytes [from, to) out of the middle.
  void erase(std::size_t from, std::size_t to);
  void clear() { begin_ = end_ = 0; }
  // Frees memory that an unusually large request needed. REQUIRES: empty.
  void shrink();

 private:
  static constexpr std::size_t kInitialBytes = 4 * 1024;
  static constexpr std::size_t kKeptBytes = 16 * 1024;

  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace um::http
