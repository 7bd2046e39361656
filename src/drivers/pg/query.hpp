// A named query: what statistics and logs call a statement. Queries are constants with static
// storage; a statement is prepared once per connection and found again by the query's address.
// Parameters are $1, $2, …
#pragma once

#include <string_view>

namespace um::pg {

struct Query {
  std::string_view name;
  std::string_view sql;
};

}  // namespace um::pg
