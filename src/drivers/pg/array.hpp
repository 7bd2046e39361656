// Arrays as one parameter: `where id = any($1::bigint[])` with integer_array(ids). The result is
// the array's text form (PostgreSQL documentation, 8.15.2), every element quoted. Thread safety:
// pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace um::pg {

std::string text_array(std::span<const std::string> elements);
std::string integer_array(std::span<const std::int64_t> elements);

}  // namespace um::pg
