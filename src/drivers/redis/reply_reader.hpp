// ReplyReader: bytes of a server in, replies out, in pieces of any size. hiredis parses. The limits
// are added here, because its reader waits for as many bytes as a length announces, and allocates
// as many elements as an array header announces.
//
// Thread safety: none.
// Invariants:
//  1. At most `limits.reply_bytes` and one piece are ever buffered.
//  2. After an error nothing is read any more: the beginning of the next reply is unknown.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/redis/reply.hpp"

namespace um::redis {

struct ReplyLimits {
  std::size_t text_bytes = std::size_t{256} << 10;   // of one text
  std::size_t reply_bytes = std::size_t{512} << 10;  // of one reply on the wire
  std::size_t elements = 1024;                       // of all arrays of one reply together
};

class ReplyReader {
 public:
  explicit ReplyReader(ReplyLimits limits = {});
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  // The replies that `bytes` completed. The error is a sentence for people. The connection is lost
  // then, with the replies that the same piece completed before the error.
  std::expected<std::vector<Reply>, std::string> read(std::string_view bytes);

 private:
  struct Hiredis;
  const std::unique_ptr<Hiredis> hiredis_;
};

}  // namespace um::redis
