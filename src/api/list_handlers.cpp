#include "api/list_handlers.hpp"

#include "api/user_answer.hpp"

namespace um::api {
namespace {

std::string array_of(const std::vector<UserRef>& users) {
  std::size_t size = 2;
  for (const UserRef& user : users) size += user->json.size() + 1;
  std::string body;
  body.reserve(size);
  body += '[';
  for (const UserRef& user : users) {
    if (body.size() > 1) body += ',';
    body += user->json;
  }
  body += ']';
  return body;
}

}  // namespace

Task<Answer> ListHandlers::answer(Call& call, ListQueryRules rules) {
  const auto query = parse_list_query(call.request.query, rules);
  if (!query) co_return refuse(query.error());
  Result<UserPage> page = co_await users_.list(query->request(), call.deadline);
  if (!page) co_return refuse(to_problem(std::move(page.error())));

  http::Response& response = call.response;
  // RFC 9211: lists are never answered from a cache.
  response.headers += "Cache-Status: user-manager; fwd=bypass\r\n";
  response.headers += kUserHeaders;
  const std::string link =
      link_field({.path = call.request.path, .query = call.request.query, .keyword = rules.keyword},
                 *query, *page);
  if (!link.empty()) response.add("Link", link);
  if (page->total) response.add("X-Total-Count", std::to_string(*page->total));
  answer_json(call, 200, array_of(page->users));
  co_return Answer{};
}

}  // namespace um::api
