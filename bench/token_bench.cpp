// The cost of a token for a request, and of the parts of a login.
#include <benchmark/benchmark.h>

#include "auth/attempts/local_attempt_limiter.hpp"
#include "auth/passwords/bcrypt.hpp"
#include "auth/tokens/token_authority.hpp"
#include "auth/tokens/verified_tokens.hpp"
#include "storage/testing/memory_stores.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

struct Stage {
  explicit Stage(TokenAuthorityOptions options = {}) : authority{store, clock, std::move(options)} {
    if (!test::run(authority.start(Deadline::never()))) throw std::logic_error("no start");
  }
  std::string token() {
    const WallTime now = clock.wall_now();
    return std::string{authority
                           .sign({.user = *UserId::from(42),
                                  .session = session,
                                  .issued_at = now,
                                  .expires_at = now + 24h})
                           ->reveal()};
  }
  SystemClock clock;
  test::MemorySigningKeyStore store;
  TokenAuthority authority;
  SessionId session = SessionId::random();
};

void must(const std::optional<Result<TokenSubject>>& answer) {
  if (!answer || !*answer) throw std::logic_error("the token must be good");
}

void RememberedToken(benchmark::State& state) {
  static Stage stage;
  static const std::string token = stage.token();
  for (auto _ : state) must(stage.authority.verify_now(token));
}
BENCHMARK(RememberedToken)->ThreadRange(1, 2);

void RememberedTokenOfMany(benchmark::State& state) {
  Stage stage;
  std::vector<std::string> tokens;
  for (int i = 0; i < 10'000; ++i) tokens.push_back(stage.token());
  for (const std::string& token : tokens) must(stage.authority.verify_now(token));
  std::size_t i = 0;
  for (auto _ : state) must(stage.authority.verify_now(tokens[i++ % tokens.size()]));
}
BENCHMARK(RememberedTokenOfMany);

// More tokens than are remembered: each one's signature is checked.
void NewToken(benchmark::State& state, TokenAuthorityOptions options) {
  options.remembered = 1;
  Stage stage{std::move(options)};
  std::vector<std::string> tokens;
  for (int i = 0; i < 5000; ++i) tokens.push_back(stage.token());
  std::size_t i = 0;
  for (auto _ : state) must(stage.authority.verify_now(tokens[i++ % tokens.size()]));
}
BENCHMARK_CAPTURE(NewToken, Ed25519, TokenAuthorityOptions{});
BENCHMARK_CAPTURE(NewToken, Hs256,
                  TokenAuthorityOptions{
                      .hs256_secret = Secret{"0123456789abcdef-a-test-secret-xyz"}});

void Digest(benchmark::State& state) {
  Stage stage;
  const std::string token = stage.token();
  for (auto _ : state) benchmark::DoNotOptimize(digest_token(token));
  state.counters["token_bytes"] = static_cast<double>(token.size());
}
BENCHMARK(Digest);

void SignToken(benchmark::State& state) {
  Stage stage;
  for (auto _ : state) benchmark::DoNotOptimize(stage.token());
}
BENCHMARK(SignToken);

void Bcrypt(benchmark::State& state) {
  const Secret hash = bcrypt::unmatchable(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(bcrypt::verify(Secret{"correct horse"}, hash));
}
BENCHMARK(Bcrypt)->Arg(10)->Arg(12)->Unit(benchmark::kMillisecond);

void TakeAPlaceAndGiveItBack(benchmark::State& state) {
  const SystemClock clock;
  LocalAttemptLimiter limiter{{}, clock};
  boost::asio::io_context loop;
  for (auto _ : state) {
    auto place = test::run(
        limiter.take({.account = "alice@example.org", .address = "192.0.2.1"}, Deadline::never()));
    (*place)->succeeded();
  }
}
BENCHMARK(TakeAPlaceAndGiveItBack);

}  // namespace
}  // namespace um

BENCHMARK_MAIN();
