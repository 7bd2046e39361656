// Reads of one user over HTTP in every state of the lease, with every wish of a request, every
// choice of the operator and every kind of caller. The expectations follow consistency.md, "The
// promise".
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cache/cached_session_store.hpp"
#include "cache/cached_user_store.hpp"
#include "support/api_stage.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using api::ReadAccess;
using api::test::FakeRequest;
using api::test::Headers;
using api::test::Reply;

struct Wish {
  const char* field;  // Cache-Control; empty: not sent
  bool no_cache = false;
  std::chrono::seconds max_stale{0};
};
constexpr Wish kWishes[]{{.field = ""},
                         {.field = "no-cache", .no_cache = true},
                         {.field = "max-stale=2", .max_stale = 2s},
                         {.field = "max-stale=3", .max_stale = 3s},
                         {.field = "Max-Stale", .max_stale = 24h},
                         {.field = "max-stale=0"},
                         {.field = "max-age=0, max-stale=9", .max_stale = 9s},
                         {.field = "max-stale=9, No-Cache", .no_cache = true, .max_stale = 9s}};
constexpr std::chrono::seconds kChoices[]{0s, 2s, 3s, 60s};  // stale-if-error

// The last poll was sent so long ago when the lease has ended; Age is in whole seconds.
constexpr auto kSinceLastPoll = 2500ms;
constexpr std::chrono::seconds kAge{3};

enum class Condition { none, same, other };  // If-None-Match

struct Case {
  bool leased = true;
  bool reachable = true;   // the primary
  bool remembered = true;  // memory has what the request needs
  bool token = false;      // of an administrator
  bool present = true;     // the user exists
  bool by_email = false;
  bool head = false;
  Condition condition = Condition::none;
  Wish wish{};

  std::string line() const {
    const char* target = by_email ? (present ? "/users/by-email/Ada@example.org"
                                             : "/users/by-email/nobody@example.org")
                                  : (present ? "/user/1" : "/user/77");
    return fmt::format("{} {}", head ? "HEAD" : "GET", target);
  }
  std::string text() const {
    return fmt::format(
        "{}{}{}, lease {}, primary {}, {}, condition {}, \"{}\"", line(), token ? ", token" : "",
        present ? "" : ", absent", leased ? "valid" : "ended", reachable ? "there" : "away",
        remembered ? "remembered" : "not remembered", static_cast<int>(condition), wish.field);
  }
};

struct Expected {
  unsigned status = 503;
  std::string cache_status{};
  std::string age{};
};

Expected expected(const Case& c, std::chrono::seconds stale_if_error) {
  Expected found{.status = !c.present ? 404U : c.condition == Condition::same ? 304U : 200U};
  const bool may_remember = c.remembered && !c.wish.no_cache;
  if (c.leased && may_remember) {
    found.cache_status = "user-manager; hit; detail=L1";
    return found;
  }
  if (c.reachable) {
    const char* why = c.wish.no_cache ? "request" : c.remembered && !c.leased ? "stale" : "miss";
    found.cache_status = fmt::format("user-manager; fwd={}", why);
    return found;
  }
  // The request's wish does not apply to the session of its caller.
  const auto most = c.token ? stale_if_error : std::max(c.wish.max_stale, stale_if_error);
  if (!may_remember || most < kAge) return {};
  found.cache_status = "user-manager; hit; detail=STALE";
  found.age = std::to_string(kAge.count());
  return found;
}

class Stage {
 public:
  Stage(std::chrono::seconds stale_if_error, ReadAccess access)
      : cache_{{.coherence = {.capacity_bytes = 1 << 20}, .stale_if_error = stale_if_error},
               clock_},
        api_{{.users = use_cases_, .sign_in = sign_in_, .process = process_, .clock = clock_},
             {.reading = access}} {
    EXPECT_TRUE(run(tokens_.start({})));
    users_.add({.email = *Email::parse("ada@example.org")});
    const UserRef root =
        users_.add({.email = *Email::parse("root@example.org"), .role = Role::admin});
    const WallTime now = clock_.wall_now();
    const SessionId session = SessionId::random();
    EXPECT_TRUE(run(sessions_.create({.id = session,
                                      .user_id = root->user.id,
                                      .created_at = now,
                                      .expires_at = now + std::chrono::days{30}},
                                     {})));
    token_ = tokens_
                 .sign({.user = root->user.id,
                        .session = session,
                        .issued_at = now,
                        .expires_at = now + std::chrono::days{30}})
                 .value();
  }

  // Memory is emptied, filled again if the case says so, and brought into the state of the case.
  Reply ask(const Case& c) {
    users_.failure = sessions_.failure = std::nullopt;
    cache_.coherence().apply({.sent_at = clock_.now(), .stamp = {}, .flush_reason = "test"});
    std::string etag = users_.get(*UserId::from(1))->etag;
    if (c.remembered) {
      EXPECT_NE(send(c, {}).status, 503U);
    }
    if (!c.leased) clock_.advance(kSinceLastPoll);
    if (!c.reachable) users_.failure = sessions_.failure = Error{.code = ErrorCode::unavailable};
    Headers headers;
    if (*c.wish.field != '\0') headers.lines.emplace_back("Cache-Control", c.wish.field);
    if (c.condition == Condition::same) headers.lines.emplace_back("If-None-Match", etag);
    if (c.condition == Condition::other) headers.lines.emplace_back("If-None-Match", R"("1-a-0")");
    return send(c, std::move(headers));
  }

 private:
  Reply send(const Case& c, Headers headers) {
    if (c.token) headers.lines.emplace_back("Authorization", token_.reveal());
    const FakeRequest request{c.line(), std::move(headers), {}, clock_.now()};
    http::Response response;
    Reply reply{.at_once = api_.answer_now(request, response)};
    if (!reply.at_once) run(api_.answer(request, response));
    reply.status = response.status;
    reply.headers = response.headers;
    reply.body = response.content();
    return reply;
  }

  ManualClock clock_;
  test::MemoryUserStore users_{clock_};
  test::MemorySessionStore sessions_{users_, clock_};
  test::MemorySigningKeyStore keys_;
  Cache cache_;
  CachedUserStore cached_users_{users_, cache_};
  CachedSessionStore cached_sessions_{sessions_, cache_};
  api::test::FakeProcessInfo process_;
  PasswordHasher hasher_{{.cost = 4, .threads = 1}};
  LocalAttemptLimiter limiter_{{.account_cells = 64, .address_cells = 64}, clock_};
  TokenAuthority tokens_{keys_, clock_, {.remembered = 64}};
  Users use_cases_{
      {.store = cached_users_, .hasher = hasher_, .limiter = limiter_, .clock = clock_}, {}};
  SignIn sign_in_{{.users = cached_users_,
                   .sessions = cached_sessions_,
                   .hasher = hasher_,
                   .limiter = limiter_,
                   .tokens = tokens_,
                   .clock = clock_},
                  {}};
  api::Api api_;
  Secret token_;
};

void check(const Reply& reply, const Case& c, const Expected& wanted) {
  EXPECT_EQ(reply.status, wanted.status);
  EXPECT_EQ(reply.header("Cache-Status"), wanted.cache_status);
  EXPECT_EQ(reply.header("Age"), wanted.age);
  EXPECT_EQ(reply.header("Retry-After"), wanted.status == 503 ? "1" : "");
  const bool has_user = wanted.status == 200 || wanted.status == 304;
  EXPECT_EQ(!reply.header("ETag").empty(), has_user);
  EXPECT_EQ(reply.header("Cache-Control"), has_user ? "private, no-cache" : "no-store");
  EXPECT_EQ(reply.body.empty(), wanted.status == 304);  // the server leaves out HEAD's body
  EXPECT_EQ(reply.at_once, c.leased && c.remembered && !c.wish.no_cache);
}

class LeaseStates
    : public ::testing::TestWithParam<std::tuple<ReadAccess, bool, std::chrono::seconds>> {};

// The bits of `n` are the yes-or-no members of the case.
Case case_of(unsigned n) {
  const auto bit = [&n] {
    const bool set = n % 2 != 0;
    n /= 2;
    return set;
  };
  return {.leased = bit(),
          .reachable = bit(),
          .remembered = bit(),
          .present = bit(),
          .by_email = bit(),
          .head = bit()};
}
constexpr unsigned kCases = 1U << 6U;

TEST_P(LeaseStates, ReadsAreFreshOrSayTheirAgeOrFail) {
  const auto [access, token, stale_if_error] = GetParam();
  Stage stage{stale_if_error, access};
  for (unsigned n = 0; n < kCases; ++n) {
    for (const Wish& wish : kWishes) {
      for (const auto condition : {Condition::none, Condition::same, Condition::other}) {
        Case c = case_of(n);
        c.token = token;
        c.wish = wish;
        c.condition = condition;
        SCOPED_TRACE(c.text());
        check(stage.ask(c), c, expected(c, stale_if_error));
        if (HasFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(PublicWithoutToken, LeaseStates,
                         ::testing::Combine(::testing::Values(ReadAccess::public_),
                                            ::testing::Values(false),
                                            ::testing::ValuesIn(kChoices)));
INSTANTIATE_TEST_SUITE_P(
    WithToken, LeaseStates,
    ::testing::Combine(::testing::Values(ReadAccess::public_, ReadAccess::private_),
                       ::testing::Values(true), ::testing::ValuesIn(kChoices)));

}  // namespace
}  // namespace um
