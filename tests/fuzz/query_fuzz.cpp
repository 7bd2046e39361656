// Query strings, path segments, entity tags and media types: no input makes them crash, and
// accepted values are well-formed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "drivers/http/field_values.hpp"
#include "drivers/http/query.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}
bool is_text(std::string_view text) {
  return um::is_utf8(text) && text.find('\0') == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto query = um::http::parse_query(text)) {
    require(query->parameters().size() <= um::http::Query::kMaxParameters);
    for (const auto& parameter : query->parameters()) {
      require(!parameter.name.empty() && is_text(parameter.name) && is_text(parameter.value));
      require(query->find(parameter.name).has_value() && query->count(parameter.name) > 0);
    }
  }
  if (const auto segment = um::http::decode_path_segment(text)) {
    require(is_text(*segment) && segment->size() <= text.size());
  }
  if (const auto list = um::http::parse_entity_tags(text)) {
    const auto tags = list->tags();
    require(list->any() == tags.empty());
    for (const auto& tag : tags) {
      require(tag.opaque.find('"') == std::string_view::npos && list->matches_weakly(tag.opaque));
    }
  }
  um::http::is_json_content_type(text);
  return 0;
}
