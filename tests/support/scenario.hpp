// Scenarios: tests of the HTTP interface as tables. A Stage is a running server, its users, and
// values saved from responses. A Step is one request and the expected response.
//
// In requests, headers, bodies and patterns <name> stands for the value saved under that name:
// <ann> is Ann's id, <ann.email> her address, <ann.token> her token; Step::save adds values. Every
// response is also checked against support/invariants.hpp.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/server_under_test.hpp"

namespace um::e2e {

struct Step {
  std::string who{};      // the user that sends its token; empty: no token
  std::string request{};  // "PATCH /user/<ann>"
  std::string body{};
  std::vector<Header> headers{};
  unsigned status = 200;
  std::string json{};                // pattern (support/json.hpp) for the body
  std::vector<std::string> has{};    // "ETag": present; "Allow: GET, HEAD": with exactly this value
  std::vector<std::string> lacks{};  // text that must not occur, or "header:ETag"
  std::vector<std::pair<std::string, std::string>>
      save{};  // name, "/json/pointer" or "header:ETag"
};

struct Person {
  std::string name{};  // the user's name in scenarios
  std::string role = "user";
  std::string first_name{};  // empty: the name
  std::string last_name = "Example";
};

// A look-up has 500 ms. A busy machine may need that long to wake a thread, and then a 503 is
// right. True for such a response to GET or HEAD.
bool came_too_late(const HttpRequest& request, const HttpResponse& response);
// Sends the request again while the answer comes too late, ten times at most.
HttpResponse send_patiently(HttpClient& client, const HttpRequest& request);

class Stage {
 public:
  explicit Stage(ServeOptions options = {});

  ServerUnderTest& server() { return server_; }
  HttpClient& client() { return client_; }
  // Makes a user as the administrator ("admin") and signs it in. A name may be used again for a new
  // user.
  void add(const Person& person);
  void add(const char* name) { add(Person{.name = name}); }
  void add(std::initializer_list<std::string> names) {
    for (const auto& name : names) add(Person{.name = name});
  }
  // Signs in again and saves the new token.
  void sign_in_again(const std::string& name);
  void remember(const std::string& name, std::string value) { known_[name] = std::move(value); }
  const std::string& known(const std::string& name) const;
  std::string token(const std::string& name) const { return known(name + ".token"); }

  void run(const std::vector<Step>& steps);
  HttpResponse run(const Step& step);
  // Checks only the invariants. Sends a request again, a few times, if its response came too late.
  HttpResponse send(HttpRequest request);
  HttpResponse get(const std::string& who, const std::string& target);

  std::string fill_in(std::string_view text) const;

 private:
  ServerUnderTest server_;
  HttpClient client_;
  std::map<std::string, std::string> known_;
  int people_ = 0;
};

}  // namespace um::e2e
