#include "api/api.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "api/openapi.hpp"
#include "base/random.hpp"

namespace um::api {
namespace {

Self names_caller(const Exchange& exchange) {
  const Principal& caller = exchange.principal();
  if (exchange.route->pattern.name == "id") {
    return UserId::parse(exchange.argument) == caller.id() ? Self::yes : Self::no;
  }
  const auto email = exchange.email();
  return email && *email == caller.user().email ? Self::yes : Self::no;
}

std::size_t index_of(const Route* route) {
  if (route == nullptr) return RequestCounters::kUnmatched;
  return static_cast<std::size_t>(route - routes().data());
}

// The status in counters and log. A client that disconnected is no failure of the service: it has a
// status of its own, which nginx introduced.
unsigned recorded_status(const Exchange& exchange, const Answer& answer) {
  const bool gone = !answer && answer.error().code == ProblemCode::cancelled;
  return gone ? RequestCounters::kClientGone : exchange.response.status;
}

}  // namespace

Api::Api(Parts parts, ApiOptions options)
    : parts_{parts},
      options_{std::move(options)},
      openapi_{std::make_shared<const std::string>(openapi_document(options_.reading))},
      services_{parts.users, parts.sign_in, parts.process, options_.trusted_proxies, openapi_},
      ids_{random_u64()} {}

bool Api::answer_now(const http::Request& request, http::Response& response) {
  Exchange exchange{request, response};
  const Match match = match_route(request.method, request.path);
  exchange.route = match.route;
  exchange.argument = match.argument;
  if (match.route == nullptr) {
    finish(exchange, answer_unmatched(exchange, match), RequestCounters::Way::at_once);
    return true;
  }
  if (match.route->handle_now == nullptr) return false;
  std::optional<Answer> answer = authorize_now(exchange);
  if (!answer) return false;
  if (*answer) {
    add_common_headers(exchange);
    answer = match.route->handle_now(exchange, services_);
  }
  if (!answer) {
    response.clear();
    return false;
  }
  finish(exchange, *answer, RequestCounters::Way::at_once);
  return true;
}

Task<void> Api::answer(const http::Request& request, http::Response& response) {
  Exchange exchange{request, response};
  const Match match = match_route(request.method, request.path);
  exchange.route = match.route;
  exchange.argument = match.argument;
  Answer answer;
  if (match.route == nullptr) {
    answer = answer_unmatched(exchange, match);
  } else {
    exchange.deadline = deadline_of(*match.route);
    try {
      answer = co_await authorize_and_handle(exchange);
    } catch (const boost::system::system_error& error) {
      // The connection is closed, so no answer can be sent.
      if (error.code() == boost::asio::error::operation_aborted) throw;
      answer = std::unexpected(Problem{.log_detail = error.what()});
    } catch (const std::exception& error) {
      answer = std::unexpected(Problem{.log_detail = error.what()});
    }
  }
  finish(exchange, answer, RequestCounters::Way::waited);
}

// A path that does not exist and a missing token are answered without the body.
bool Api::answer_without_body(const http::Request& request, http::Response& response) {
  Exchange exchange{request, response};
  const Match match = match_route(request.method, request.path);
  exchange.route = match.route;
  if (match.route == nullptr) {
    finish(exchange, answer_unmatched(exchange, match), RequestCounters::Way::at_once);
    return true;
  }
  const bool needs_token = token_use(match.route->access, options_.reading) == TokenUse::required;
  if (!needs_token || !token_of(request.header("Authorization")).empty()) return false;
  finish(exchange, api::refuse(ProblemCode::token_missing), RequestCounters::Way::at_once);
  return true;
}

void Api::refuse(const http::Refusal& refusal, const http::FieldView& fields,
                 http::Response& response) {
  response.headers.clear();
  response.body.clear();
  response.shared_body.reset();
  const std::string_view sent = fields.only("X-Request-Id");
  if (RequestId::is_sane(sent))
    response.add("X-Request-Id", sent);
  else
    response.add("X-Request-Id", ids_.next().view());
  response.headers += "X-Content-Type-Options: nosniff\r\n";
  Problem problem = to_problem(refusal);
  if (refusal.reason == http::Refusal::Reason::method_not_allowed) {
    problem.headers = "Allow: " + allow_field(all_methods()) + "\r\n";
  }
  write_problem(problem, response);
}

std::optional<Answer> Api::authorize_now(Exchange& exchange) {
  const TokenUse use = token_use(exchange.route->access, options_.reading);
  if (use != TokenUse::ignored) {
    const std::string_view token = token_of(exchange.request.header("Authorization"));
    if (!token.empty()) {
      auto caller = parts_.sign_in.authenticate_now(token, exchange.request.read_at);
      if (!caller) return std::nullopt;
      if (!*caller) return api::refuse(to_problem(std::move(caller->error())));
      exchange.caller = std::move(**caller);
    } else if (use == TokenUse::required) {
      return api::refuse(ProblemCode::token_missing);
    }
  }
  return check_rule(exchange);
}

Task<Answer> Api::authorize(Exchange& exchange) {
  const TokenUse use = token_use(exchange.route->access, options_.reading);
  if (use != TokenUse::ignored) {
    const std::string_view token = token_of(exchange.request.header("Authorization"));
    if (!token.empty()) {
      Result<Principal> caller =
          co_await parts_.sign_in.authenticate(std::string{token}, exchange.deadline);
      if (!caller) co_return api::refuse(to_problem(std::move(caller.error())));
      exchange.caller = std::move(*caller);
    } else if (use == TokenUse::required) {
      co_return api::refuse(ProblemCode::token_missing);
    }
  }
  co_return check_rule(exchange);
}

Answer Api::check_rule(const Exchange& exchange) const {
  const Access access = exchange.route->access;
  const bool asks_for_self = access == Access::self_or_admin || access == Access::self_or_reader;
  const Self self = asks_for_self && exchange.caller ? names_caller(exchange) : Self::no;
  if (allows(access, options_.reading, exchange.caller, self)) return {};
  const bool own_service = self == Self::yes && exchange.caller->is_service();
  return api::refuse(ProblemCode::forbidden, own_service ? "a service changes no user" : "");
}

Task<Answer> Api::authorize_and_handle(Exchange& exchange) {
  Answer allowed = co_await authorize(exchange);
  if (!allowed) co_return allowed;
  add_common_headers(exchange);
  Answer handled = co_await exchange.route->handle(exchange, services_);
  co_return handled;
}

Answer Api::answer_unmatched(Exchange& exchange, const Match& match) {
  const bool whole_server = exchange.request.path == "*";
  const unsigned methods = whole_server ? all_methods() : match.methods;
  if (methods == 0) return api::refuse(ProblemCode::path_not_found);
  const std::string allow = "Allow: " + allow_field(methods) + "\r\n";
  if (exchange.request.method != http::Method::options) {
    return api::refuse(Problem{.code = ProblemCode::method_not_allowed, .headers = allow});
  }
  add_common_headers(exchange);
  exchange.response.status = 204;
  exchange.response.headers += allow;
  if ((methods & method_bit(http::Method::patch)) != 0) {
    exchange.response.headers += "Accept-Patch: application/json, application/merge-patch+json\r\n";
  }
  return {};
}

void Api::add_common_headers(Exchange& exchange) {
  if (exchange.request_id.empty()) {
    exchange.request_id = exchange.request.header("X-Request-Id");
    if (!RequestId::is_sane(exchange.request_id)) {
      exchange.new_id = ids_.next();
      exchange.request_id = exchange.new_id.view();
    }
  }
  exchange.response.add("X-Request-Id", exchange.request_id);
  exchange.response.headers += "X-Content-Type-Options: nosniff\r\n";
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
  return {.at = now + time, .l2_until = now + options_.l2_time};
}

void Api::finish(Exchange& exchange, const Answer& answer, RequestCounters::Way way) {
  if (!answer) {
    exchange.response.clear();
    add_common_headers(exchange);
    write_problem(answer.error(), exchange.response);
  }
  const std::chrono::nanoseconds took = parts_.clock.now() - exchange.request.read_at;
  counters_.count({index_of(exchange.route), recorded_status(exchange, answer), took, way});
  if (options_.log && options_.log_requests != LogRequests::none) log(exchange, answer, took);
}

void Api::log(const Exchange& exchange, const Answer& answer, std::chrono::nanoseconds took) const {
  const unsigned status = recorded_status(exchange, answer);
  if (options_.log_requests == LogRequests::failures && status < 500) return;
  RequestLogLine line{.request_id = exchange.request_id,
                      .method = http::to_string(exchange.request.method),
                      .route = exchange.route != nullptr ? exchange.route->name : "unmatched",
                      .status = status,
                      .took = took,
                      .peer = exchange.request.peer_address};
  if (exchange.caller) line.user = exchange.caller->id();
  if (!answer) {
    line.problem = kind_of(answer.error().code).name;
    line.detail = answer.error().log_detail;
  }
  options_.log(line);
}

}  // namespace um::api
