// ChunkedBody: decodes a body in chunked coding, in place (RFC 9112 section 7.1).
//
// The decoded bytes are moved to the front of the region that holds the body. Extensions and
// trailers are checked, bounded together, and dropped: a trailer never becomes a header field.
// Pure; not thread safe.
#pragma once

#include <cstddef>
#include <span>

#include "drivers/http/limits.hpp"
#include "drivers/http/message.hpp"

namespace um::http {

class ChunkedBody {
 public:
  enum class Progress { need_more, complete, refused };

  explicit ChunkedBody(const Limits& limits) : limits_{limits} {}
  void start();
  // `region` begins where the body begins and holds size() decoded bytes, then raw ones. Afterwards
  // it holds size() decoded bytes, garbage, and from raw_begin() on the raw bytes that are left.
  Progress advance(std::span<char> region);

  std::size_t size() const { return size_; }
  std::size_t raw_begin() const { return raw_; }
  const Refusal& refusal() const { return refusal_; }

 private:
  enum class State { size_line, data, data_end, trailers, complete };
  enum class Step { go_on, need_more, refused };

  Step take_size_line(std::span<const char> raw);
  Step take_data(std::span<char> region);
  Step take_data_end(std::span<const char> raw);
  Step take_trailer(std::span<const char> raw);
  Step refuse(const Refusal& why);

  const Limits& limits_;
  State state_ = State::size_line;
  std::size_t size_ = 0;
  std::size_t raw_ = 0;
  std::size_t chunk_left_ = 0;
  std::size_t overhead_left_ = 0;
  Refusal refusal_;
};

}  // namespace um::http
