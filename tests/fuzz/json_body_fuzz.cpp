// Any bytes as a request body: parsing ends, and an accepted body can be written and read again
// without a difference.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/json_body.hpp"
#include "api/schemas.hpp"
#include "base/json_writer.hpp"
#include "base/utf8.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void require_acceptable(const um::JsonValue& value, std::size_t depth) {
  require(depth <= um::kMaxJsonDepth + 1);
  require(value.text.find('\0') == std::string::npos);
  require(um::is_utf8(value.text));
  for (const auto& item : value.items) require_acceptable(item, depth + 1);
  for (const auto& member : value.members) require_acceptable(member.value, depth + 1);
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  using namespace um;
  using namespace um::api;
  const std::string_view text{reinterpret_cast<const char*>(data), size};  // NOLINT
  const auto value = parse_json(text);
  if (!value) {
    require(value.error().code == ProblemCode::malformed_json || !value.error().fields.empty());
    return 0;
  }
  require_acceptable(*value, 1);
  const std::string canonical = canonical_json(*value);
  const auto again = parse_json(canonical);
  require(again.has_value());
  require(canonical_json(*again) == canonical);
  const auto input = read_object(*value, user_fields());
  require(input.has_value() || !input.error().fields.empty());
  return 0;
}
