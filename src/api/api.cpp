#include "api/api.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "api/openapi.hpp"
#include "api/path_email.hpp"
#include "base/random.hpp"

namespace um::api {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

Self names_caller(const Call& call) {
  const Principal& caller = call.principal();
  if (call.route->pattern.name == "id") {
    return UserId::parse(call.argument) == caller.id() ? Self::yes : Self::no;
  }
  const auto email = email_in_path(call.argument);
  return email && *email == caller.user().email ? Self::yes : Self::no;
}

std::size_t index_of(const Route* route) {
  if (route == nullptr) return RequestCounters::kUnmatched;
  return static_cast<std::size_t>(route - routes().data());
}

// What counters and the log are told. That a client left is no failure of the service: it has the
// status that nginx made usual for it.
unsigned told_status(const Call& call, const Answer& answer) {
  const bool gone = !answer && answer.error().code == ProblemCode::cancelled;
  return gone ? RequestCounters::kClientGone : call.response.status;
}

}  // namespace

Api::Api(Parts parts, ApiOptions options)
    : parts_{parts},
      options_{std::move(options)},
      user_handlers_{parts.users, options_.trusted_proxies},
      list_handlers_{parts.users},
      auth_handlers_{parts.sign_in, options_.trusted_proxies},
      ops_handlers_{parts.operations, openapi_document(options_.reading)},
      ids_{random_u64()} {}

bool Api::answer_now(const http::Request& request, http::Response& response) {
  Call call{request, response};
  const Match match = match_route(request.method, request.path);
  call.route = match.route;
  call.argument = match.argument;
  if (match.route == nullptr) {
    finish(call, answer_unmatched(call, match), RequestCounters::Way::at_once);
    return true;
  }
  if (std::holds_alternative<std::monostate>(match.route->handle_now)) return false;
  std::optional<Answer> answer = authorize_now(call);
  if (!answer) return false;
  if (*answer) {
    add_common_headers(call);
    answer = handle_now(call);
  }
  if (!answer) {
    response.clear();
    return false;
  }
  finish(call, *answer, RequestCounters::Way::at_once);
  return true;
}

Task<void> Api::answer(const http::Request& request, http::Response& response) {
  Call call{request, response};
  const Match match = match_route(request.method, request.path);
  call.route = match.route;
  call.argument = match.argument;
  Answer answer;
  if (match.route == nullptr) {
    answer = answer_unmatched(call, match);
  } else {
    call.deadline = deadline_of(*match.route);
    try {
      answer = co_await authorize_and_handle(call);
    } catch (const boost::system::system_error& error) {
      // The connection is gone and with it everyone who would read an answer.
      if (error.code() == boost::asio::error::operation_aborted) throw;
      answer = std::unexpected(Problem{.log_detail = error.what()});
    } catch (const std::exception& error) {
      answer = std::unexpected(Problem{.log_detail = error.what()});
    }
  }
  finish(call, answer, RequestCounters::Way::waited);
}

// Nobody has to send a body to a path that does not exist, or without a token where one is needed.
bool Api::answer_without_body(const http::Request& request, http::Response& response) {
  Call call{request, response};
  const Match match = match_route(request.method, request.path);
  call.route = match.route;
  if (match.route == nullptr) {
    finish(call, answer_unmatched(call, match), RequestCounters::Way::at_once);
    return true;
  }
  const bool needs_token = token_use(match.route->access, options_.reading) == TokenUse::required;
  if (!needs_token || !token_of(request.header("Authorization")).empty()) return false;
  finish(call, api::refuse(ProblemCode::token_missing), RequestCounters::Way::at_once);
  return true;
}

void Api::refuse(const http::Refused& refused, http::Response& response) {
  response.headers.clear();
  response.body.clear();
  response.shared_body.reset();
  const std::string_view sent = refused.fields.only("X-Request-Id");
  if (RequestId::is_sane(sent))
    response.add("X-Request-Id", sent);
  else
    response.add("X-Request-Id", ids_.next().view());
  response.headers += "X-Content-Type-Options: nosniff\r\n";
  Problem problem = to_problem(refused.refusal, refused.detail);
  if (refused.refusal == http::Refusal::method_not_allowed) {
    problem.headers = "Allow: " + allow_field(all_methods()) + "\r\n";
  }
  write_problem(problem, response);
}

std::optional<Answer> Api::authorize_now(Call& call) {
  const TokenUse use = token_use(call.route->access, options_.reading);
  if (use != TokenUse::ignored) {
    const std::string_view token = token_of(call.request.header("Authorization"));
    if (!token.empty()) {
      auto caller = parts_.sign_in.authenticate_now(token, call.request.read_at);
      if (!caller) return std::nullopt;
      if (!*caller) return api::refuse(to_problem(std::move(caller->error())));
      call.caller = std::move(**caller);
    } else if (use == TokenUse::required) {
      return api::refuse(ProblemCode::token_missing);
    }
  }
  return check_rule(call);
}

Task<Answer> Api::authorize(Call& call) {
  const TokenUse use = token_use(call.route->access, options_.reading);
  if (use != TokenUse::ignored) {
    const std::string_view token = token_of(call.request.header("Authorization"));
    if (!token.empty()) {
      Result<Principal> caller =
          co_await parts_.sign_in.authenticate(std::string{token}, call.deadline);
      if (!caller) co_return api::refuse(to_problem(std::move(caller.error())));
      call.caller = std::move(*caller);
    } else if (use == TokenUse::required) {
      co_return api::refuse(ProblemCode::token_missing);
    }
  }
  co_return check_rule(call);
}

Answer Api::check_rule(const Call& call) const {
  const Access access = call.route->access;
  const bool asks_for_self = access == Access::self_or_admin || access == Access::self_or_reader;
  const Self self = asks_for_self && call.caller ? names_caller(call) : Self::no;
  if (allows(access, options_.reading, call.caller, self)) return {};
  return api::refuse(ProblemCode::forbidden);
}

std::optional<Answer> Api::handle_now(Call& call) {
  using Now = std::optional<Answer>;
  return std::visit(
      Overloaded{[](std::monostate) -> Now { return std::nullopt; },
                 [&](HandleNow<UserHandlers> h) -> Now { return (user_handlers_.*h)(call); },
                 [&](HandleNow<OpsHandlers> h) -> Now { return (ops_handlers_.*h)(call); }},
      call.route->handle_now);
}

Task<Answer> Api::handle(Call& call) {
  return std::visit(Overloaded{[&](Handle<UserHandlers> h) { return (user_handlers_.*h)(call); },
                               [&](Handle<ListHandlers> h) { return (list_handlers_.*h)(call); },
                               [&](Handle<AuthHandlers> h) { return (auth_handlers_.*h)(call); },
                               [&](Handle<OpsHandlers> h) { return (ops_handlers_.*h)(call); }},
                    call.route->handle);
}

Task<Answer> Api::authorize_and_handle(Call& call) {
  Answer allowed = co_await authorize(call);
  if (!allowed) co_return allowed;
  add_common_headers(call);
  Answer handled = co_await handle(call);
  co_return handled;
}

Answer Api::answer_unmatched(Call& call, const Match& match) {
  const bool whole_server = call.request.path == "*";
  const unsigned methods = whole_server ? all_methods() : match.methods;
  if (methods == 0) return api::refuse(ProblemCode::path_not_found);
  const std::string allow = "Allow: " + allow_field(methods) + "\r\n";
  if (call.request.method != http::Method::options) {
    return api::refuse(Problem{.code = ProblemCode::method_not_allowed, .headers = allow});
  }
  add_common_headers(call);
  call.response.status = 204;
  call.response.headers += allow;
  if ((methods & method_bit(http::Method::patch)) != 0) {
    call.response.headers += "Accept-Patch: application/json, application/merge-patch+json\r\n";
  }
  return {};
}

void Api::add_common_headers(Call& call) {
  if (call.request_id.empty()) {
    call.request_id = call.request.header("X-Request-Id");
    if (!RequestId::is_sane(call.request_id)) {
      call.new_id = ids_.next();
      call.request_id = call.new_id.view();
    }
  }
  call.response.add("X-Request-Id", call.request_id);
  call.response.headers += "X-Content-Type-Options: nosniff\r\n";
}

Deadline Api::deadline_of(const Route& route) const {
  const auto time = [&] {
    switch (route.patience) {
      case Patience::lookup:
        return options_.lookup_time;
      case Patience::ordinary:
        return options_.ordinary_time;
      case Patience::password:
        return options_.password_time;
    }
    return options_.ordinary_time;
  }();
  const BootTime now = parts_.clock.now();
  return {.at = now + time, .shortcuts_until = now + options_.shortcut_time};
}

void Api::finish(Call& call, const Answer& answer, RequestCounters::Way way) {
  if (!answer) {
    call.response.clear();
    add_common_headers(call);
    write_problem(answer.error(), call.response);
  }
  const std::chrono::nanoseconds took = parts_.clock.now() - call.request.read_at;
  counters_.count({index_of(call.route), told_status(call, answer), took, way});
  if (options_.log && options_.log_requests != LogRequests::none) log(call, answer, took);
}

void Api::log(const Call& call, const Answer& answer, std::chrono::nanoseconds took) const {
  const unsigned status = told_status(call, answer);
  if (options_.log_requests == LogRequests::failures && status < 500) return;
  RequestLogLine line{.request_id = call.request_id,
                      .method = http::to_string(call.request.method),
                      .route = call.route != nullptr ? call.route->name : "unmatched",
                      .status = status,
                      .took = took,
                      .peer = call.request.peer_address};
  if (call.caller) line.user = call.caller->id();
  if (!answer) {
    line.problem = kind_of(answer.error().code).name;
    line.detail = answer.error().log_detail;
  }
  options_.log(line);
}

}  // namespace um::api
