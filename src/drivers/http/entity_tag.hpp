// Entity tags and the conditions If-Match and If-None-Match (RFC 9110
// sections 8.8.3, 13.1.1, 13.1.2).
//
// Pure and without allocation (but for failures). EntityTagList is a view of the field value it was
// parsed from, which must outlive it.
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace um::http {

struct EntityTag {
  bool weak = false;
  std::string_view opaque;  // between the quotes
};

class EntityTagList {
 public:
  // "*": fulfilled by any current representation.
  bool any() const { return any_; }
  // Does a tag of the list equal `opaque` (without quotes), the current representation's strong
  // tag? Strong comparison, for If-Match: a weak tag of the list equals nothing. "*" matches.
  bool matches_strongly(std::string_view opaque) const;
  // Weak comparison, for If-None-Match: W/"a" equals "a". "*" matches.
  bool matches_weakly(std::string_view opaque) const;

 private:
  friend Result<EntityTagList> parse_entity_tags(std::string_view field);
  std::string_view tags_;  // checked; empty if any_
  bool any_ = false;
};

// The value of If-Match or If-None-Match. ErrorCode::invalid for everything but "*" or a list of
// tags with at least one member; empty members ("a", , "b") are skipped as section 5.6.1 asks.
Result<EntityTagList> parse_entity_tags(std::string_view field);

// A single tag, W/"x" or "x", as ETag carries it.
Result<EntityTag> parse_entity_tag(std::string_view text);

}  // namespace um::http
