#include "support/scenario.hpp"

#include <stdexcept>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "support/invariants.hpp"
#include "support/json.hpp"

namespace um::e2e {
namespace {

void check_header(const HttpResponse& response, const std::string& wanted) {
  const auto colon = wanted.find(": ");
  const std::string name = wanted.substr(0, colon);
  const auto value = response.header(name);
  if (!value) {
    ADD_FAILURE() << "no header " << name;
  } else if (colon != std::string::npos) {
    EXPECT_EQ(*value, wanted.substr(colon + 2)) << "header " << name;
  }
}

constexpr std::string_view kHeader = "header:";

void check_absence(const HttpResponse& response, const std::string& unwanted) {
  if (unwanted.starts_with(kHeader)) {
    EXPECT_FALSE(response.header(unwanted.substr(kHeader.size()))) << unwanted;
  } else {
    EXPECT_EQ(response.text().find(unwanted), std::string::npos) << "contains " << unwanted;
  }
}

std::string pick(const HttpResponse& response, const std::string& where) {
  if (where.starts_with(kHeader)) {
    return response.header(where.substr(kHeader.size())).value_or("");
  }
  return text_at(response.json(), where);
}

}  // namespace

bool came_too_late(const HttpRequest& request, const HttpResponse& response) {
  if (request.method != "GET" && request.method != "HEAD") return false;
  if (response.status != 503) return false;
  return request.method == "HEAD" || text_at(response.json(), "/code") == "timeout";
}

HttpResponse send_patiently(HttpClient& client, const HttpRequest& request) {
  constexpr int kAttempts = 10;
  for (int attempt = 1;; ++attempt) {
    HttpResponse response = client.send(request);
    expect_invariants(request, response);
    if (attempt == kAttempts || !came_too_late(request, response)) return response;
  }
}

Stage::Stage(ServeOptions options) : server_{std::move(options)}, client_{server_.client()} {
  create_admin(server_);
  known_["admin.email"] = kAdminEmail;
  sign_in_again("admin");
  const auto me = get("admin", "/auth/me");
  if (me.status != 200) throw std::runtime_error("who is the administrator? " + me.text());
  known_["admin"] = text_at(me.json(), "/id");
}

void Stage::add(const Person& person) {
  const std::string email = person.name + "-" + std::to_string(++people_) + "@example.test";
  boost::json::object body;
  body["email"] = email;
  body["first_name"] = person.first_name.empty() ? person.name : person.first_name;
  body["last_name"] = person.last_name;
  body["password"] = boost::json::string_view{kPassword.data(), kPassword.size()};
  if (person.role != "user") body["role"] = person.role;
  const auto answer = send({.method = "POST",
                            .target = "/user/",
                            .headers = {bearer(token("admin"))},
                            .body = boost::json::serialize(body)});
  if (answer.status != 201) throw std::runtime_error("cannot make a user: " + answer.text());
  known_[person.name] = text_at(answer.json(), "/id");
  known_[person.name + ".email"] = email;
  sign_in_again(person.name);
}

void Stage::sign_in_again(const std::string& name) {
  known_[name + ".token"] = sign_in(client_, known(name + ".email"));
}

const std::string& Stage::known(const std::string& name) const {
  const auto found = known_.find(name);
  if (found == known_.end()) throw std::runtime_error("the scenario knows no <" + name + ">");
  return found->second;
}

std::string Stage::fill_in(std::string_view text) const {
  std::string out;
  while (true) {
    const auto open = text.find('<');
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    const auto close = text.find('>', open);
    if (close == std::string_view::npos) return out += text.substr(open);
    out += known(std::string{text.substr(open + 1, close - open - 1)});
    text.remove_prefix(close + 1);
  }
}

HttpResponse Stage::send(HttpRequest request) {
  return send_patiently(client_, request);
}

HttpResponse Stage::get(const std::string& who, const std::string& target) {
  HttpRequest request{.target = fill_in(target)};
  if (!who.empty()) request.headers.push_back(bearer(token(who)));
  return send(std::move(request));
}

HttpResponse Stage::run(const Step& step) {
  const auto space = step.request.find(' ');
  HttpRequest request{.method = step.request.substr(0, space),
                      .target = fill_in(step.request.substr(space + 1)),
                      .body = fill_in(step.body)};
  for (const auto& [name, value] : step.headers) request.headers.emplace_back(name, fill_in(value));
  if (!step.who.empty()) request.headers.push_back(bearer(token(step.who)));

  HttpResponse response = send(request);
  SCOPED_TRACE((step.who.empty() ? "nobody" : step.who) + ": " + request.method + " " +
               request.target + "\n" + request.body + "\n--> " + response.text());
  EXPECT_EQ(response.status, step.status);
  if (!step.json.empty()) {
    EXPECT_EQ(mismatch(parse_json(fill_in(step.json)), response.json()), "");
  }
  for (const auto& wanted : step.has) check_header(response, fill_in(wanted));
  for (const auto& unwanted : step.lacks) {
    check_absence(response, fill_in(unwanted));
  }
  for (const auto& [name, where] : step.save) known_[name] = pick(response, where);
  return response;
}

void Stage::run(const std::vector<Step>& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i + 1) + " of " + std::to_string(steps.size()));
    run(steps[i]);
  }
}

}  // namespace um::e2e
