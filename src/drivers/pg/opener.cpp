#include "drivers/pg/opener.hpp"

#include <algorithm>
#include <cctype>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace um::pg {

namespace asio = boost::asio;

namespace {

// A name that cannot be the end of a password with an '@' in it.
std::string shown(const std::string& name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-'; };
  return std::ranges::all_of(name, plain) ? "'" + name + "'" : "in the database URL";
}

}  // namespace

Opener::Opener(Handle::Executor executor, Settings settings)
    : executor_{executor}, settings_{std::move(settings)}, resolver_{executor} {}

Task<void> Opener::add_targets(const Host& host) {
  if (auto address = host.address_without_resolving()) {
    targets_.push_back({.host = &host, .address = std::move(*address)});
    co_return;
  }
  boost::system::error_code error;
  const auto found = co_await resolver_.async_resolve(
      host.name_to_resolve(), "", asio::redirect_error(asio::use_awaitable, error));
  if (error) reason_ = "the host name " + shown(host.name) + " cannot be resolved";
  for (const auto& entry : found) {
    targets_.push_back({.host = &host, .address = entry.endpoint().address().to_string()});
  }
}

Task<bool> Opener::connect(const Target& target) {
  handle_ = std::make_unique<Handle>(executor_);
  timed_out_ = false;
  give_up_at_ = BootClock::now() + settings_.per_address;
  const char* address = target.address.empty() ? nullptr : target.address.c_str();
  bool going = handle_->start(settings_.info->keywords(*target.host, address));
  // PQconnectStart counts as a first answer of "writing" (34.2).
  auto next = Handle::Poll::writing;
  while (going && next != Handle::Poll::ready) {
    going = co_await handle_->wait(next == Handle::Poll::writing ? Handle::Waits::write
                                                                 : Handle::Waits::read);
    if (!going || aborted_ || timed_out_) {
      going = false;
      break;
    }
    next = handle_->poll();
    going = next != Handle::Poll::failed;
  }
  give_up_at_ = BootTime::max();
  if (going) co_return true;
  reason_ = timed_out_ ? "no answer while connecting" : settings_.info->scrubbed(handle_->error());
  handle_.reset();
  co_return false;
}

Task<Outcome<std::unique_ptr<Handle>>> Opener::open() {
  aborted_ = false;
  targets_.clear();
  reason_ = "no address to connect to";
  for (const Host& host : settings_.info->hosts()) co_await add_targets(host);
  for (const Target& target : targets_) {
    if (aborted_) break;
    const bool connected = co_await connect(target);
    if (connected && !aborted_) co_return std::move(handle_);
  }
  handle_.reset();
  co_return failed(
      {.kind = Failure::lost, .message = aborted_ ? "the client was stopped" : reason_});
}

void Opener::expire(BootTime now) {
  if (now < give_up_at_) return;
  timed_out_ = true;
  if (handle_) handle_->interrupt();
}

void Opener::abort() {
  aborted_ = true;
  resolver_.cancel();
  if (handle_) handle_->interrupt();
}

}  // namespace um::pg
