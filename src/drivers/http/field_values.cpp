#include "drivers/http/field_values.hpp"

#include <optional>

#include "drivers/http/characters.hpp"

namespace um::http {
namespace {

// etagc: visible characters without the quote, and obs-text.
bool is_tag_character(char c) {
  return is(c, kFieldChar) && c != '"' && c != ' ' && c != '\t';
}

// Takes one tag from the front of `rest`; nullopt if there is none.
std::optional<EntityTag> take_tag(std::string_view& rest) {
  EntityTag tag;
  if (rest.starts_with("W/")) {
    tag.weak = true;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) return std::nullopt;
  std::size_t end = 1;
  while (end < rest.size() && is_tag_character(rest[end])) ++end;
  if (end == rest.size() || rest[end] != '"') return std::nullopt;
  tag.opaque = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  return tag;
}

enum class ListItem { tag, end, malformed };

// The next member of a list; skips empty ones. A member must be followed by a comma or the end.
ListItem take_item(std::string_view& rest, EntityTag& tag) {
  rest = trim(rest);
  while (rest.starts_with(',')) rest = trim(rest.substr(1));
  if (rest.empty()) return ListItem::end;
  const auto taken = take_tag(rest);
  rest = trim(rest);
  if (!taken || (!rest.empty() && !rest.starts_with(','))) return ListItem::malformed;
  tag = *taken;
  return ListItem::tag;
}

}  // namespace

std::vector<EntityTag> EntityTagList::tags() const {
  std::vector<EntityTag> tags;
  EntityTag tag;
  for (std::string_view rest = tags_; take_item(rest, tag) == ListItem::tag;) tags.push_back(tag);
  return tags;
}

bool EntityTagList::matches_weakly(std::string_view opaque) const {
  if (any_) return true;
  EntityTag tag;
  for (std::string_view rest = tags_; take_item(rest, tag) == ListItem::tag;) {
    if (tag.opaque == opaque) return true;
  }
  return false;
}

Result<EntityTagList> parse_entity_tags(std::string_view field) {
  EntityTagList list;
  field = trim(field);
  if (field == "*") {
    list.any_ = true;
    return list;
  }
  EntityTag tag;
  std::size_t tags = 0;
  for (std::string_view rest = field;;) {
    const ListItem item = take_item(rest, tag);
    if (item == ListItem::end) break;
    if (item == ListItem::malformed) return fail(ErrorCode::invalid, "not a list of entity tags");
    ++tags;
  }
  if (tags == 0) return fail(ErrorCode::invalid, "an empty list of entity tags");
  list.tags_ = field;
  return list;
}

bool is_json_content_type(std::string_view content_type) {
  content_type = trim(content_type);
  const std::size_t semicolon = content_type.find(';');
  if (!equal_without_case(trim(content_type.substr(0, semicolon)), "application/json")) {
    return false;
  }
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = trim(content_type.substr(semicolon + 1));
  if (parameter.empty()) return true;  // a trailing ';', which RFC 9110 tolerates
  return equal_without_case(parameter, "charset=utf-8") ||
         equal_without_case(parameter, "charset=\"utf-8\"");
}

}  // namespace um::http
