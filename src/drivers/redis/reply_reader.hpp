// ReplyReader: bytes of a server in, replies out, whatever the pieces they come in. Parsing is
// hiredis'; the limits are ours, because its reader waits for as much as a length announces and
// allocates what an array header asks for.
//
// Thread safety: none.
// Invariants:
//  1. At most `limits.reply_bytes` and one piece are ever buffered.
//  2. After an error nothing is read any more: where the next reply begins is not known.
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

  // The replies that `bytes` completed. The error is a sentence for people. Replies completed by
  // the same piece before the error are lost, as the connection is.
  std::expected<std::vector<Reply>, std::string> read(std::string_view bytes);

 private:
  struct Hiredis;
  const std::unique_ptr<Hiredis> hiredis_;
};

}  // namespace um::redis
