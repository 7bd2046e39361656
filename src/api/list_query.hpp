// The query of a list: page, per_page, after, count, keyword. Pure.
//
// A parameter that is missing has its default; one that is there must be valid (validation_failed
// with its name): whole numbers in plain digits, page from 1 to kMaxPage, per_page from 1 to
// kMaxPerPage, `after` the id after which the page begins (0: the first page), count true or false,
// none of them twice, `page` and `after` not together. Parameters with other names are ignored, as
// everywhere on the web: proxies and trackers add their own.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "api/problem.hpp"
#include "service/users.hpp"

namespace um::api {

enum class Keyword { ignored, taken };

struct ListQuery {
  static constexpr std::int64_t kMaxPage = (std::int64_t{1} << 31U) - 1;
  static constexpr std::int64_t kMaxPerPage = 100;

  std::int64_t page = 1;
  std::int64_t per_page = 10;
  std::optional<std::int64_t> after{};
  bool count = false;
  std::string keyword{};

  Users::ListRequest request() const;
};

struct ListQueryRules {
  std::int64_t default_per_page;
  Keyword keyword;
};
std::expected<ListQuery, Problem> parse_list_query(std::string_view raw, ListQueryRules rules);

// The value of Link (RFC 8288): first, prev and next by page, or first and next by `after`. The
// other parameters of the list stay as they were sent; ignored ones are left out.
struct ListPlace {
  std::string_view path;
  std::string_view query;
  Keyword keyword = Keyword::ignored;
};
std::string link_field(const ListPlace& place, const ListQuery& query, const UserPage& page);

}  // namespace um::api
