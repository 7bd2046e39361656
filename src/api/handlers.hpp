// The handlers: one free function for each entry of the route table (routes.cpp).
//
// A handler writes its answer into the exchange, or returns the problem that is the answer. Its
// parameters after the exchange are the services it uses; the route table takes them out of
// Services, so a declaration here shows everything that a handler can touch.
//
// Handlers named …_now are the way of a hit: no coroutine and no I/O. They return nullopt if the
// answer needs I/O; their changes of the response by then are dropped.
//
// Thread safety: any event loop; handlers have no state. Exchange and services outlive the task.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "api/client_address.hpp"
#include "api/exchange.hpp"
#include "api/process_info.hpp"
#include "service/sign_in.hpp"
#include "service/users.hpp"

namespace um::api {

// The text of GET /openapi.json, made once.
struct OpenApiDocument {
  std::shared_ptr<const std::string> json;
};

// Everything that some handler uses. All of it outlives the Api.
struct Services
    : std::tuple<Users&, SignIn&, ProcessInfo&, const TrustedProxies&, const OpenApiDocument&> {
  using tuple::tuple;
};

namespace handlers {

// One user, and lists of users: user_handlers.cpp.
std::optional<Answer> user_by_id_now(Exchange& exchange, Users& users);
std::optional<Answer> user_by_email_now(Exchange& exchange, Users& users);
std::optional<Answer> me_now(Exchange& exchange, Users& users);
Task<Answer> user_by_id(Exchange& exchange, Users& users);
Task<Answer> user_by_email(Exchange& exchange, Users& users);
Task<Answer> me(Exchange& exchange, Users& users);
Task<Answer> list_users(Exchange& exchange, Users& users);
Task<Answer> search_users(Exchange& exchange, Users& users);
Task<Answer> create_user(Exchange& exchange, Users& users, const TrustedProxies& proxies);
Task<Answer> replace_user(Exchange& exchange, Users& users, const TrustedProxies& proxies);
Task<Answer> patch_user(Exchange& exchange, Users& users, const TrustedProxies& proxies);
Task<Answer> delete_user(Exchange& exchange, Users& users);
Task<Answer> add_usage(Exchange& exchange, Users& users);
Task<Answer> drop_from_caches(Exchange& exchange, Users& users);

// Signing in and out, and sessions: session_handlers.cpp.
Task<Answer> login(Exchange& exchange, SignIn& sign_in, const TrustedProxies& proxies);
Task<Answer> logout(Exchange& exchange, SignIn& sign_in);
Task<Answer> logout_all(Exchange& exchange, SignIn& sign_in);
Task<Answer> list_sessions(Exchange& exchange, SignIn& sign_in);
Task<Answer> end_session(Exchange& exchange, SignIn& sign_in);

// The process itself, for its operators and for programs: process_handlers.cpp.
std::optional<Answer> healthz_now(Exchange& exchange);
std::optional<Answer> openapi_now(Exchange& exchange, const OpenApiDocument& document);
Task<Answer> healthz(Exchange& exchange);
Task<Answer> openapi(Exchange& exchange, const OpenApiDocument& document);
Task<Answer> readyz(Exchange& exchange, ProcessInfo& process);
Task<Answer> metrics(Exchange& exchange, ProcessInfo& process);
Task<Answer> cache_stats(Exchange& exchange, ProcessInfo& process);
Task<Answer> jwks(Exchange& exchange, ProcessInfo& process);

}  // namespace handlers
}  // namespace um::api
