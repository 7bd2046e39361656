// Handlers of signing in and out, and of sessions.
#include "api/handlers.hpp"
#include "base/json_writer.hpp"
#include "user/time_text.hpp"

namespace um::api::handlers {
namespace {

std::expected<LoginBody, Problem> read_login(const Exchange& exchange) {
  const auto json = read_json(exchange);
  if (!json) return std::unexpected(json.error());
  auto body = read_object(*json, login_fields());
  if (!body) return body;
  std::vector<FieldError> errors;
  if (!body->email.value) errors.push_back({"email", "required", "is required"});
  if (!body->password.value) errors.push_back({"password", "required", "is required"});
  if (!errors.empty()) return refuse(invalid_fields(std::move(errors)));
  return body;
}

std::string signed_in_json(const SignedIn& signed_in) {
  return JsonWriter{}
      .open_object()
      .member("token", signed_in.token.reveal())
      .member("token_type", "Bearer")
      .member("expires_in", signed_in.expires_in.count())
      .raw_member("user", signed_in.user->json)
      .close()
      .take();
}

std::string_view kind_name(SessionKind kind) {
  switch (kind) {
    case SessionKind::login:
      return "login";
    case SessionKind::service_token:
      return "service_token";
  }
  return "";
}

void write_session(JsonWriter& json, const Session& session, const SessionId& current) {
  json.open_object()
      .member("id", session.id.text())
      .member("kind", kind_name(session.kind))
      .member("current", session.id == current)
      .member("created_at", time_text(session.created_at))
      .member("expires_at", time_text(session.expires_at))
      .member("address", session.address)
      .member("user_agent", session.user_agent)
      .close();
}

// For answers with tokens or sessions: no cache may keep them.
void answer_private_json(Exchange& exchange, std::string body) {
  exchange.response.headers += "Cache-Control: no-store\r\n";
  answer_json(exchange, 200, std::move(body));
}

}  // namespace

Task<Answer> login(Exchange& exchange, SignIn& sign_in, const TrustedProxies& proxies) {
  auto body = read_login(exchange);
  if (!body) co_return refuse(std::move(body.error()));
  LoginRequest request{.email = std::move(*body->email.value),
                       .password = std::move(*body->password.value),
                       .address = proxies.client_address(exchange.request),
                       .user_agent = std::string{exchange.request.header("User-Agent")}};
  Result<SignedIn> signed_in = co_await sign_in.login(std::move(request), exchange.deadline);
  if (!signed_in) co_return refuse(to_problem(std::move(signed_in.error())));
  answer_private_json(exchange, signed_in_json(*signed_in));
  co_return Answer{};
}

Task<Answer> logout(Exchange& exchange, SignIn& sign_in) {
  Result<void> done = co_await sign_in.logout(exchange.principal(), exchange.deadline);
  if (!done) co_return refuse(to_problem(std::move(done.error()), ProblemCode::session_not_found));
  answer_message(exchange, "logout success");
  co_return Answer{};
}

Task<Answer> logout_all(Exchange& exchange, SignIn& sign_in) {
  Result<void> done = co_await sign_in.logout_all(exchange.principal(), exchange.deadline);
  if (!done) co_return refuse(to_problem(std::move(done.error())));
  answer_message(exchange, "logout success");
  co_return Answer{};
}

Task<Answer> list_sessions(Exchange& exchange, SignIn& sign_in) {
  const SessionId current = exchange.principal().session().id;
  Result<std::vector<SessionRef>> sessions =
      co_await sign_in.sessions(exchange.principal(), exchange.deadline);
  if (!sessions) co_return refuse(to_problem(std::move(sessions.error())));
  JsonWriter body;
  body.open_array();
  for (const SessionRef& session : *sessions) write_session(body, *session, current);
  answer_private_json(exchange, body.close().take());
  co_return Answer{};
}

Task<Answer> end_session(Exchange& exchange, SignIn& sign_in) {
  const auto id = SessionId::parse(exchange.argument);
  if (!id) co_return refuse(ProblemCode::session_not_found);
  Result<void> done = co_await sign_in.end_session(exchange.principal(), *id, exchange.deadline);
  if (!done) co_return refuse(to_problem(std::move(done.error()), ProblemCode::session_not_found));
  answer_message(exchange, "session ended");
  co_return Answer{};
}

}  // namespace um::api::handlers
