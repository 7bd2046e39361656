#include "monitor/instances.hpp"

#include "monitor/user_calls.hpp"

namespace um {

Instances::Instances(Options options, MonitorAccount account, const Clock& clock)
    : options_{std::move(options)},
      account_{std::move(account)},
      clock_{clock},
      client_{options_.client},
      calls_(options_.servers.size(), 0) {}

Result<void> Instances::begin() {
  if (!account_.read_token) return sign_in();
  auto token = account_.read_token();
  if (!token) return fail(std::move(token.error()));
  token_ = *std::move(token);
  return {};
}

Result<void> Instances::sign_in() {
  const Answer answer = ask_any([this](const std::string& server, const Secret&) {
    return sign_in_call(server, account_.email, account_.password);
  });
  auto token = token_in(answer);
  if (!token) {
    const bool refused = answer.status == 401;
    return fail(refused ? ErrorCode::unauthenticated : ErrorCode::unavailable,
                "cannot sign in as " + account_.email + ": " + failure_line(answer));
  }
  token_ = *std::move(token);
  return {};
}

void Instances::renew() {
  const BootTime now = clock_.now();
  if (renewed_at_ && now < *renewed_at_ + kRenewalPause) return;
  renewed_at_ = now;
  if (account_.read_token) {
    if (auto token = account_.read_token()) token_ = *std::move(token);
    return;
  }
  start(
      renewals_++ % size(),
      [this](const std::string& server, const Secret&) {
        return sign_in_call(server, account_.email, account_.password);
      },
      [this](const Answer& answer) {
        if (auto token = token_in(answer)) token_ = *std::move(token);
      });
}

void Instances::end() {
  if (!account_.read_token && !token_.empty()) ask_any(sign_out_call);
}

bool Instances::start(std::size_t instance, const MakeCall& make, Done done) {
  if (calls_[instance] >= kMostUnderWay) return false;
  ++calls_[instance];
  client_.start(make(server(instance), token_),
                [this, instance, done = std::move(done)](const Answer& answer) {
                  --calls_[instance];
                  done(answer);
                });
  return true;
}

Instances::Answer Instances::ask(std::size_t instance, const MakeCall& make) {
  std::optional<Answer> found;
  client_.start(make(server(instance), token_), [&](const Answer& answer) { found = answer; });
  while (!found) client_.run_until(clock_.now() + std::chrono::seconds{1});
  return *std::move(found);
}

Instances::Answer Instances::ask_any(const MakeCall& make) {
  Answer answer;
  for (std::size_t instance = 0; instance < size(); ++instance) {
    answer = ask(instance, make);
    if (answer.status != 0 && answer.status < 500) break;
  }
  return answer;
}

}  // namespace um
