// ApiStage: the whole API in a test, over stores in memory and without sockets or waiting. For one
// thread. Four users exist from the start; a request names its caller ("ada") instead of a token.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/api.hpp"
#include "auth/attempts/local_attempt_limiter.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "auth/tokens/token_authority.hpp"
#include "base/json.hpp"
#include "storage/testing/memory_stores.hpp"
#include "support/run_task.hpp"

namespace um::api::test {

struct Headers {
  std::vector<std::pair<std::string, std::string>> lines{};
};

inline Headers with(std::string name, std::string value) {
  return {{{std::move(name), std::move(value)}}};
}

class FakeRequest final : public http::Request {
 public:
  // "GET /users?page=2"
  FakeRequest(std::string_view line, Headers headers, std::string body_text, BootTime now);
  std::string_view header(std::string_view name) const override;

 private:
  std::string target_;
  Headers headers_;
  std::string body_text_;
};

struct Reply {
  unsigned status = 0;
  std::string headers{};
  std::string body{};
  bool at_once = false;  // by answer_now

  // The value of a header field; empty if it is not there.
  std::string header(std::string_view name) const;
  // A member of the body, as text ("" if it is not there); throws if the body is no JSON.
  std::string member(std::string_view name) const;
  JsonValue json() const;
};

class FakeProcessInfo final : public ProcessInfo {
 public:
  std::vector<Missing> missing{};

  Task<std::vector<Missing>> readiness(Deadline) override { co_return missing; }
  Task<Result<std::string>> metrics(Deadline) override { co_return "um_up 1\n"; }
  Task<Result<std::string>> cache_stats(Deadline) override { co_return R"({"hits":0})"; }
  Task<Result<std::string>> jwks(Deadline) override { co_return R"({"keys":[]})"; }
};

class ApiStage {
 public:
  static constexpr std::string_view kPassword = "correct horse";
  // Ids of the users.
  static constexpr std::int64_t kAda = 1;    // role user
  static constexpr std::int64_t kBob = 2;    // role user
  static constexpr std::int64_t kRobot = 3;  // role service
  static constexpr std::int64_t kRoot = 4;   // role admin

  explicit ApiStage(ApiOptions options = {});

  struct Ask {
    std::string_view line;   // "GET /user/1"
    std::string_view who{};  // "ada", "bob", "robot", "root", "forged", or nobody
    std::string body{};      // with Content-Type: application/json if there is none in `headers`
    Headers headers{};
  };
  Reply ask(Ask ask);
  // Do the caches have everything, or nothing?
  void cache(bool on) { users.in_memory = sessions.in_memory = on; }
  std::string token_of(std::string_view who);

  template <class T>
  static T run(Task<T> task) {
    return um::run(std::move(task));
  }

  ManualClock clock;
  um::test::MemoryUserStore users{clock};
  um::test::MemorySessionStore sessions{users, clock};
  um::test::MemorySigningKeyStore keys;
  FakeProcessInfo process;
  PasswordHasher hasher{{.cost = 4, .threads = 1}};
  LocalAttemptLimiter limiter{
      {.limits = {.failures_per_account = 3}, .account_cells = 64, .address_cells = 64}, clock};
  TokenAuthority tokens{keys, clock, {.remembered = 64}};
  Users use_cases{{.store = users, .hasher = hasher, .limiter = limiter, .clock = clock}, {}};
  SignIn sign_in{{.users = users,
                  .sessions = sessions,
                  .hasher = hasher,
                  .limiter = limiter,
                  .tokens = tokens,
                  .clock = clock},
                 {}};
  Api api;

 private:
  void add(std::string_view name, Role role);
  std::map<std::string, std::string, std::less<>> tokens_by_name_;
};

}  // namespace um::api::test
