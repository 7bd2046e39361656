// The next line of a message, found in raw bytes.
//
// Only CR LF ends a line; a CR or LF alone is malformed (RFC 9112 section 2.2 lets a server take a
// bare LF; what takes it and what does not then disagree about where a request ends, so it is
// refused). The verdict depends on the bytes up to the decisive one alone, never on where reads
// were cut.
#pragma once

#include <cstddef>
#include <string_view>

namespace um::http {

enum class LineStatus { complete, need_more, malformed, too_long };

struct Line {
  LineStatus status = LineStatus::need_more;
  std::string_view text{};  // complete: without CR LF, at most `limit` bytes
};

// Looks at no more than the first limit + 2 bytes of `input`.
Line next_line(std::string_view input, std::size_t limit);

}  // namespace um::http
