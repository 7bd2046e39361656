// Values of header fields: entity tags with the conditions If-Match and If-None-Match (RFC 9110
// sections 8.8.3, 13.1.1, 13.1.2), and Content-Type (section 8.3.1).
//
// Pure. Nothing is allocated but for failures and tags(). EntityTagList is a view of the field
// value it was parsed from, which must outlive it.
#pragma once

#include <string_view>
#include <vector>

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
  // In their order; none if any(). If-Match compares strongly: there a weak tag equals nothing.
  std::vector<EntityTag> tags() const;
  // Weak comparison, for If-None-Match: W/"a" equals `opaque` a (without quotes). "*" matches.
  bool matches_weakly(std::string_view opaque) const;

 private:
  friend Result<EntityTagList> parse_entity_tags(std::string_view field);
  std::string_view tags_;  // checked; empty if any_
  bool any_ = false;
};

// The value of If-Match or If-None-Match. ErrorCode::invalid for everything but "*" or a list of
// tags with at least one member; empty members ("a", , "b") are skipped as section 5.6.1 asks.
Result<EntityTagList> parse_entity_tags(std::string_view field);

// Is this Content-Type JSON? True for "application/json", with at most one parameter, which must be
// charset=utf-8 (quoted or not; names and charset without case).
bool is_json_content_type(std::string_view content_type);

}  // namespace um::http
