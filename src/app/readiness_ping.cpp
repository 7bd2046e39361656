#include "app/readiness_ping.hpp"

namespace um {

std::optional<Result<void>> ReadinessPing::remembered() const {
  const std::scoped_lock lock{mutex_};
  if (!last_ || clock_.now() >= last_->begun + kReused) return std::nullopt;
  return last_->result;
}

Task<Result<ReadinessPing::Healthy>> ReadinessPing::ping_now(Deadline deadline) {
  const BootTime begun = clock_.now();
  Result<void> result = co_await ping_(deadline);
  if (result || result.error().code != ErrorCode::timeout) {
    const std::scoped_lock lock{mutex_};
    last_ = Answer{.begun = begun, .result = result};
  }
  if (!result) co_return std::unexpected(std::move(result.error()));
  co_return Healthy{};
}

Task<Result<void>> ReadinessPing::ask(Deadline deadline) {
  if (auto known = remembered()) co_return std::move(*known);
  auto ping = [this, deadline] { return ping_now(deadline); };
  auto admit = [](const Healthy&) { return true; };
  SingleFlight<Healthy>::Request request{
      .key = "ping", .may_follow = MayFollow::yes, .deadline = deadline};
  const Result<Healthy> healthy = co_await flights_.run(std::move(request), ping, admit);
  if (!healthy) co_return std::unexpected(healthy.error());
  co_return Result<void>{};
}

}  // namespace um
