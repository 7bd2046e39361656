#include "support/api_stage.hpp"

#include <stdexcept>

#include "api/json_body.hpp"
#include "auth/passwords/bcrypt.hpp"
#include "base/json_writer.hpp"
#include "drivers/http/characters.hpp"

namespace um::api::test {
namespace {

http::Method method_of(std::string_view text) {
  using enum http::Method;
  for (const http::Method method : {get, head, post, put, patch, del, options}) {
    if (http::to_string(method) == text) return method;
  }
  throw std::invalid_argument{std::string{text}};
}

}  // namespace

FakeRequest::FakeRequest(std::string_view line, Headers headers, std::string body_text,
                         BootTime now)
    : headers_{std::move(headers)}, body_text_{std::move(body_text)} {
  const std::size_t space = line.find(' ');
  method = method_of(line.substr(0, space));
  target_ = line.substr(space + 1);
  const std::size_t mark = target_.find('?');
  path = std::string_view{target_}.substr(0, mark);
  if (mark != std::string::npos) query = std::string_view{target_}.substr(mark + 1);
  body = body_text_;
  peer_address = "192.0.2.1";
  read_at = now;
}

std::string_view FakeRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers_.lines) {
    if (http::equal_without_case(key, name)) return value;
  }
  return {};
}

std::string Reply::header(std::string_view name) const {
  std::string_view rest = headers;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    const std::size_t colon = line.find(": ");
    if (end == std::string_view::npos || colon == std::string_view::npos) {
      throw std::runtime_error{"not a header line: " + std::string{line}};
    }
    if (http::equal_without_case(line.substr(0, colon), name)) {
      return std::string{line.substr(colon + 2)};
    }
    rest.remove_prefix(end + 2);
  }
  return {};
}

JsonValue Reply::json() const {
  auto parsed = parse_json(body);
  if (!parsed) throw std::runtime_error{"not JSON: " + body};
  return std::move(*parsed);
}

std::string Reply::member(std::string_view name) const {
  const JsonValue value = json();
  const JsonValue* const found = value.find(name);
  if (found == nullptr) return {};
  return found->kind == JsonValue::Kind::string ? found->text : canonical_json(*found);
}

namespace {

// Hashing uses the real clock, so its deadline must lie in the future of that clock, too.
ApiOptions patient(ApiOptions options) {
  options.password_time = std::chrono::hours{24 * 3650};
  return options;
}

const Secret& stored_hash() {
  static const Secret hash = *bcrypt::hash(Secret{std::string{ApiStage::kPassword}}, 4);
  return hash;
}

}  // namespace

ApiStage::ApiStage(ApiOptions options)
    : api{{.users = use_cases, .sign_in = sign_in, .process = process, .clock = clock},
          patient(std::move(options))} {
  if (!run(tokens.start({}))) throw std::runtime_error{"no signing key"};
  add("ada", Role::user);
  add("bob", Role::user);
  add("robot", Role::service);
  add("root", Role::admin);
}

void ApiStage::add(std::string_view name, Role role) {
  const std::string text{name};
  users.add({.email = *Email::parse(text + "@example.org"),
             .first_name = text,
             .role = role,
             .password_hash = stored_hash()});
}

std::string ApiStage::token_of(std::string_view who) {
  if (who == "forged") return "eyJhbGciOiJub25lIn0.e30.";
  if (const auto known = tokens_by_name_.find(who); known != tokens_by_name_.end()) {
    return known->second;
  }
  LoginRequest request{.email = std::string{who} + "@example.org",
                       .password = Secret{std::string{kPassword}},
                       .address = "192.0.2.9",
                       .user_agent = "stage"};
  auto signed_in = run(sign_in.login(std::move(request), {}));
  if (!signed_in) throw std::runtime_error{"cannot sign in: " + std::string{who}};
  return tokens_by_name_[std::string{who}] = std::string{signed_in->token.reveal()};
}

Reply ApiStage::ask(Ask ask) {
  if (!ask.who.empty()) {
    ask.headers.lines.emplace_back("Authorization", "Bearer " + token_of(ask.who));
  }
  if (!ask.body.empty()) ask.headers.lines.emplace_back("Content-Type", "application/json");
  const FakeRequest request{ask.line, std::move(ask.headers), std::move(ask.body), clock.now()};
  http::Response response;
  Reply reply{.at_once = api.answer_now(request, response)};
  if (!reply.at_once) {
    if (!response.headers.empty() || !response.content().empty() || response.status != 200) {
      throw std::logic_error{"answer_now gave up and left something behind"};
    }
    run(api.answer(request, response));
  }
  reply.status = response.status;
  reply.headers = response.headers;
  reply.body = response.content();
  return reply;
}

}  // namespace um::api::test
