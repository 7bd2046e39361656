// The header section of a request: its lines, and the rules for all of them together.
//
// Lines are parsed one by one as they arrive; check_head() checks the whole (RFC 9112 sections 3, 6
// and 7, RFC 9110 sections 5, 7.2 and 10.1.1). It is stricter than those where a looser reading
// would let two programs disagree about where a request ends. Positions instead of views, because
// the buffer that holds the bytes may move while the request is still arriving.
//
// Functions that check return the refusal, or nullopt if their input is fine. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "drivers/http/characters.hpp"
#include "drivers/http/limits.hpp"
#include "drivers/http/message.hpp"

namespace um::http {

// The next line, found in raw bytes.
//
// Only CR LF ends a line; a CR or LF alone is malformed. (RFC 9112 section 2.2 lets a server accept
// a bare LF. Programs that accept it and programs that do not disagree about where a request ends,
// so it is refused.) The result depends on the bytes up to the decisive one alone, never on where
// reads were cut.
enum class LineStatus { complete, need_more, malformed, too_long };
struct Line {
  LineStatus status = LineStatus::need_more;
  std::string_view text{};  // complete: without CR LF, at most `limit` bytes
};
// Looks at no more than the first limit + 2 bytes of `input`.
Line next_line(std::string_view input, std::size_t limit);

// Bytes [at, at + size) of the request.
struct Slice {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
  std::string_view of(const char* base) const { return {base + at, size}; }
};

struct Field {
  Slice name;
  Slice value;  // without white space around it
};

// The header fields of a request that is refused, as far as they have been read. Valid during the
// call that hands it over.
class FieldView {
 public:
  FieldView() = default;  // nothing was read
  // `base` is the first byte of the request.
  FieldView(const char* base, std::span<const Field> fields) : base_{base}, fields_{fields} {}

  // The value of a field that was sent exactly once so far; empty otherwise.
  std::string_view only(std::string_view name) const {
    std::string_view value;
    std::size_t count = 0;
    for (const Field& field : fields_) {
      if (!equal_without_case(field.name.of(base_), name)) continue;
      value = field.value.of(base_);
      ++count;
    }
    return count == 1 ? value : std::string_view{};
  }

 private:
  const char* base_ = nullptr;
  std::span<const Field> fields_{};
};

enum class Version { http_1_0, http_1_1 };
enum class BodyKind { none, sized, chunked };
enum class Persistence { keep_alive, close };

struct Head {
  Method method = Method::get;
  bool method_known = false;  // `method` was read; the rest may be refused
  // The method itself is refused, but only after the header section has been read.
  std::optional<Refusal> method_refusal{};
  Version version = Version::http_1_1;
  Slice path;
  std::string_view implied_path;  // "/" or "*" (a literal) where the absolute form has no path
  Slice query;
  Slice authority;  // empty unless the target was in absolute form
  std::vector<Field> fields;

  // Filled by check_head().
  BodyKind body = BodyKind::none;
  std::size_t content_length = 0;
  Persistence persistence = Persistence::keep_alive;
  bool expects_continue = false;

  void clear();
};

// A field line without its CR LF, not empty; also used for trailers.
struct FieldLine {
  std::string_view name;
  std::string_view value;
};
std::optional<Refusal> parse_field_line(std::string_view line, FieldLine& out);

// `base` is the first byte of the request, into which `line` points.
std::optional<Refusal> parse_request_line(const char* base, std::string_view line, Head& head);
// After the last line: fills the rest of `head`.
std::optional<Refusal> check_head(const char* base, const Limits& limits, Head& head);

}  // namespace um::http
