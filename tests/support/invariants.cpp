#include "support/invariants.hpp"

#include <regex>

#include <gtest/gtest.h>

#include "support/json.hpp"

namespace um::e2e {
namespace {

using Complaints = std::vector<std::string>;

void check_secrets(const HttpResponse& response, Complaints& complaints) {
  static const std::regex kHash{R"(\$2[abxy]?\$)"};
  const std::string text = response.text();
  if (std::regex_search(text, kHash)) complaints.emplace_back("a password hash is in the answer");
  if (text.find(kPasswordMark) != std::string::npos) {
    complaints.emplace_back("a password is in the answer");
  }
}

void check_members(const HttpRequest& request, const HttpResponse& response,
                   Complaints& complaints) {
  if (response.status >= 400 || request.target.starts_with("/openapi.json")) return;
  const auto body = response.json();
  for (const auto* name : {"password", "password_hash", "auth_epoch", "private_key", "d"}) {
    if (has_member_anywhere(body, name)) {
      complaints.emplace_back(std::string{"the answer has a member "} + name);
    }
  }
  const bool has_token = body.is_object() && body.get_object().contains("token");
  if (has_token &&
      response.header("Cache-Control").value_or("").find("no-store") == std::string::npos) {
    complaints.emplace_back("an answer with a token may be stored");
  }
}

void check_headers(const HttpRequest& request, const HttpResponse& response,
                   Complaints& complaints) {
  const auto needs = [&](const char* name) {
    if (response.header(name).value_or("").empty()) {
      complaints.push_back(std::to_string(response.status) + " without " + name);
    }
  };
  if (response.header_count("X-Request-Id") != 1) needs("X-Request-Id");
  for (const auto* name : {"X-Request-Id", "Content-Type", "Content-Length", "ETag", "Date"}) {
    if (response.header_count(name) > 1) {
      complaints.push_back(std::string{name} + " is there more than once");
    }
  }
  needs("Date");
  for (const auto& [name, value] : request.headers) {
    if (same_name(name, "X-Request-Id") && response.header("X-Request-Id") != value) {
      complaints.emplace_back("X-Request-Id was not taken over");
    }
  }
  if (response.status == 401) needs("WWW-Authenticate");
  if (response.status == 405) needs("Allow");
  if (response.status == 429 || response.status == 503) {
    needs("Retry-After");
    static const std::regex kSeconds{"[1-9][0-9]*"};
    if (!std::regex_match(response.header("Retry-After").value_or("1"), kSeconds)) {
      complaints.emplace_back("Retry-After is not a number of seconds");
    }
  }
}

void check_problem(const HttpRequest& request, const HttpResponse& response,
                   Complaints& complaints) {
  if (response.status < 400 || request.method == "HEAD") return;
  if (!response.header("Content-Type").value_or("").starts_with("application/problem+json")) {
    complaints.emplace_back("an error that is not application/problem+json");
  }
  static const auto kPattern =
      parse_json(R"({"type": "@string", "title": "@match:.", "detail": "@string",
      "code": "@match:^[a-z][a-z0-9_]*$", "error": "@match:."})");
  if (auto why = mismatch(kPattern, response.json()); !why.empty()) {
    complaints.push_back("not a problem document: " + why);
  }
  if (text_at(response.json(), "/status") != std::to_string(response.status)) {
    complaints.emplace_back("the problem's status is not the answer's");
  }
}

}  // namespace

Complaints violations(const HttpRequest& request, const HttpResponse& response) {
  Complaints complaints;
  check_secrets(response, complaints);
  check_members(request, response, complaints);
  check_headers(request, response, complaints);
  check_problem(request, response, complaints);
  return complaints;
}

void expect_invariants(const HttpRequest& request, const HttpResponse& response) {
  for (const auto& complaint : violations(request, response)) {
    ADD_FAILURE() << complaint << "\n"
                  << request.method << " " << request.target << "\n"
                  << response.text();
  }
}

}  // namespace um::e2e
