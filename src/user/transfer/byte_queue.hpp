// ByteQueue: the bytes of a file, fed in pieces and taken one at a time, without the byte order
// mark. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace um {

class ByteQueue {
 public:
  void feed(std::string_view bytes) {
    bytes_.erase(0, next_);
    next_ = 0;
    bytes_ += bytes;
  }
  void finish() { finished_ = true; }
  bool finished() const { return finished_; }

  // nullopt: the queue is empty.
  std::optional<char> take() {
    if (!begun_ && !begin()) return std::nullopt;
    if (next_ == bytes_.size()) return std::nullopt;
    return bytes_[next_++];
  }

 private:
  // Skips the mark once the first three bytes are there. False: they are not yet.
  bool begin() {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (bytes_.size() < kMark.size() && !finished_) return false;
    if (bytes_.starts_with(kMark)) next_ = kMark.size();
    return begun_ = true;
  }

  std::string bytes_;
  std::size_t next_ = 0;
  bool begun_ = false;
  bool finished_ = false;
};

}  // namespace um
