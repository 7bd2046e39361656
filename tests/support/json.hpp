// Expectations about JSON. A pattern is JSON, in which some strings have a meaning:
//
//   "@any"                   any value
//   "@absent"                no such member
//   "@string"  "@number"     of that type
//   "@time"                  RFC 3339 in UTC
//   "@match:<regex>"         a string that matches
//
// An object must have the members of the pattern and may have others; an array must have as many
// elements as the pattern.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace um::e2e {

// Empty if `actual` matches, else the place of the first difference ("/users/0/email: …").
std::string mismatch(const boost::json::value& pattern, const boost::json::value& actual,
                     const std::string& path = {});

// Throws std::runtime_error if `text` is not JSON.
boost::json::value parse_json(std::string_view text);

// The value at a JSON pointer as text, strings without quotes. Empty if there is none.
std::string text_at(const boost::json::value& value, std::string_view pointer);

// Whether any object in it, at any depth, has such a member.
bool has_member_anywhere(const boost::json::value& value, std::string_view name);

}  // namespace um::e2e
