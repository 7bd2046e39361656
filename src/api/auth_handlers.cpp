#include "api/auth_handlers.hpp"

#include "base/json_writer.hpp"
#include "user/time_text.hpp"

namespace um::api {
namespace {

std::expected<LoginBody, Problem> read_login(const Call& call) {
  const auto json = read_json(call);
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
  std::string body = R"({"token":)";
  append_json_string(body, signed_in.token.reveal());
  body += R"(,"token_type":"Bearer","expires_in":)";
  body += std::to_string(signed_in.expires_in.count());
  body.append(R"(,"user":)").append(signed_in.user->json).append("}");
  return body;
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

void append_session(std::string& body, const Session& session, const SessionId& current) {
  const auto add = [&](std::string_view name, std::string_view value) {
    append_json_key(body, name);
    append_json_string(body, value);
  };
  body += '{';
  add("id", session.id.text());
  add("kind", kind_name(session.kind));
  append_json_key(body, "current");
  body += session.id == current ? "true" : "false";
  add("created_at", time_text(session.created_at));
  add("expires_at", time_text(session.expires_at));
  add("address", session.address);
  add("user_agent", session.user_agent);
  body += '}';
}

// Answers that hold tokens or tell of sessions are kept nowhere.
void answer_private_json(Call& call, std::string body) {
  call.response.headers += "Cache-Control: no-store\r\n";
  answer_json(call, 200, std::move(body));
}

}  // namespace

Task<Answer> AuthHandlers::login(Call& call) {
  auto body = read_login(call);
  if (!body) co_return refuse(std::move(body.error()));
  LoginRequest request{.email = std::move(*body->email.value),
                       .password = std::move(*body->password.value),
                       .address = proxies_.client_address(call.request),
                       .user_agent = std::string{call.request.header("User-Agent")}};
  Result<SignedIn> signed_in = co_await sign_in_.login(std::move(request), call.deadline);
  if (!signed_in) co_return refuse(to_problem(std::move(signed_in.error())));
  answer_private_json(call, signed_in_json(*signed_in));
  co_return Answer{};
}

Task<Answer> AuthHandlers::logout(Call& call) {
  Result<void> done = co_await sign_in_.logout(call.principal(), call.deadline);
  if (!done) co_return refuse(to_problem(std::move(done.error()), ProblemCode::session_not_found));
  answer_message(call, "logout success");
  co_return Answer{};
}

Task<Answer> AuthHandlers::logout_all(Call& call) {
  Result<void> done = co_await sign_in_.logout_all(call.principal(), call.deadline);
  if (!done) co_return refuse(to_problem(std::move(done.error())));
  answer_message(call, "logout success");
  co_return Answer{};
}

Task<Answer> AuthHandlers::sessions(Call& call) {
  const SessionId current = call.principal().session().id;
  Result<std::vector<SessionRef>> sessions =
      co_await sign_in_.sessions(call.principal(), call.deadline);
  if (!sessions) co_return refuse(to_problem(std::move(sessions.error())));
  std::string body = "[";
  for (const SessionRef& session : *sessions) {
    if (body.size() > 1) body += ',';
    append_session(body, *session, current);
  }
  body += ']';
  answer_private_json(call, std::move(body));
  co_return Answer{};
}

Task<Answer> AuthHandlers::end_session(Call& call) {
  const auto id = SessionId::parse(call.argument);
  if (!id) co_return refuse(ProblemCode::session_not_found);
  Result<void> done = co_await sign_in_.end_session(call.principal(), *id, call.deadline);
  if (!done) co_return refuse(to_problem(std::move(done.error()), ProblemCode::session_not_found));
  answer_message(call, "session ended");
  co_return Answer{};
}

}  // namespace um::api
