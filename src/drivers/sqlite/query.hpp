// A named query: what statistics and logs call a statement. Queries are constants with static
// storage; a statement is prepared once per connection and found again by the query's address.
#pragma once

#include <string_view>

#include "base/query_stats.hpp"

namespace um::sqlite {

struct Query {
  std::string_view name;
  std::string_view sql;
};

using QueryStats = um::QueryStats<Query>;

}  // namespace um::sqlite
