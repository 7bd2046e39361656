#include "api/routes.hpp"

#include <array>

#include "api/handlers.hpp"

namespace um::api {
namespace {

using enum http::Method;
using enum Access;
using enum Patience;
using namespace handlers;
using S = Schema;
constexpr auto kSlash = TrailingSlash::accepted;

// Calls a handler with the services that its parameters name.
template <auto kHandler>
struct Entry;
template <class Result, class... Used, Result (*kHandler)(Exchange&, Used&...)>
struct Entry<kHandler> {
  static Result call(Exchange& exchange, const Services& services) {
    return kHandler(exchange, std::get<Used&>(services)...);
  }
};
template <auto kHandler>
constexpr auto to = &Entry<kHandler>::call;

// The most frequent first: matching goes through them in this order.
// clang-format off
constexpr std::array kRoutes{
// name               method  path                       access            patience  body             answer          handler               handler without waiting
Route{"user_get",      get,   "/user/{id}",              self_or_reader,   lookup,   S::none,         S::user,        to<user_by_id>,       to<user_by_id_now>},
Route{"user_by_email", get,   "/users/by-email/{email}", self_or_reader,   lookup,   S::none,         S::user,        to<user_by_email>,    to<user_by_email_now>},
Route{"auth_me",       get,   "/auth/me",                signed_in,        lookup,   S::none,         S::user,        to<me>,               to<me_now>},
Route{"user_usage",    post,  "/user/{id}/usage",        admin_or_service, ordinary, S::usage,        S::usage_totals,to<add_usage>,        {}},
Route{"user_create",   post,  "/user",                   registrant,       password, S::user_create,  S::user,        to<create_user>,      {}, kSlash},
Route{"user_replace",  put,   "/user/{id}",              self_or_admin,    password, S::user_replace, S::user_change, to<replace_user>,     {}},
Route{"user_patch",    patch, "/user/{id}",              self_or_admin,    password, S::user_patch,   S::user_change, to<patch_user>,       {}},
Route{"user_delete",   del,   "/user/{id}",              self_or_admin,    ordinary, S::none,         S::message,     to<delete_user>,      {}},
Route{"user_list",     get,   "/users",                  reader,           ordinary, S::none,         S::user_list,   to<list_users>,       {}},
Route{"user_search",   get,   "/users/search",           reader,           ordinary, S::none,         S::user_list,   to<search_users>,     {}},
Route{"cache_drop",    del,   "/cache/user/{id}",        admin,            ordinary, S::none,         S::message,     to<drop_from_caches>, {}},
Route{"cache_stats",   get,   "/cache/stats",            admin_or_service, ordinary, S::none,         S::any_object,  to<cache_stats>,      {}},
Route{"auth_login",    post,  "/auth/login",             anyone,           password, S::login,        S::signed_in,   to<login>,            {}},
Route{"auth_logout",   post,  "/auth/logout",            signed_in,        ordinary, S::none,         S::message,     to<logout>,           {}},
Route{"auth_logout_all",post, "/auth/logout-all",        signed_in,        ordinary, S::none,         S::message,     to<logout_all>,       {}},
Route{"auth_sessions", get,   "/auth/sessions",          signed_in,        ordinary, S::none,         S::session_list,to<list_sessions>,    {}},
Route{"auth_session_end",del, "/auth/sessions/{id}",     signed_in,        ordinary, S::none,         S::message,     to<end_session>,      {}},
Route{"jwks",          get,   "/.well-known/jwks.json",  anyone,           ordinary, S::none,         S::any_object,  to<jwks>,             {}},
Route{"healthz",       get,   "/healthz",                anyone,           lookup,   S::none,         S::status,      to<healthz>,          to<healthz_now>},
Route{"readyz",        get,   "/readyz",                 anyone,           lookup,   S::none,         S::status,      to<readyz>,           {}},
Route{"metrics",       get,   "/metrics",                anyone,           ordinary, S::none,         S::text,        to<metrics>,          {}},
Route{"openapi",       get,   "/openapi.json",           anyone,           lookup,   S::none,         S::any_object,  to<openapi>,          to<openapi_now>},
};
// clang-format on

std::optional<std::string_view> match(const Route& route, std::string_view path) {
  if (const auto argument = route.pattern.match(path)) return argument;
  if (route.trailing_slash == TrailingSlash::accepted && path.ends_with('/')) {
    return route.pattern.match(path.substr(0, path.size() - 1));
  }
  return std::nullopt;
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

Match match_route(http::Method method, std::string_view path) {
  const http::Method wanted = method == head ? get : method;
  Match found;
  for (const Route& route : kRoutes) {
    const auto argument = match(route, path);
    if (!argument) continue;
    if (route.method == wanted) return {.route = &route, .argument = *argument};
    found.methods |= method_bit(route.method);
  }
  if ((found.methods & method_bit(get)) != 0) found.methods |= method_bit(head);
  return found;
}

unsigned all_methods() {
  unsigned methods = method_bit(head);
  for (const Route& route : kRoutes) methods |= method_bit(route.method);
  return methods;
}

std::string allow_field(unsigned methods) {
  std::string text;
  for (const http::Method method : {get, head, post, put, patch, del}) {
    if ((methods & method_bit(method)) == 0) continue;
    text.append(http::to_string(method)).append(", ");
  }
  return text + "OPTIONS";
}

}  // namespace um::api
