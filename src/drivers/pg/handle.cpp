#include "drivers/pg/handle.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <libpq-fe.h>

#include "drivers/pg/libpq.hpp"

namespace um::pg {

namespace asio = boost::asio;

namespace {

asio::posix::stream_descriptor::wait_type kind(Handle::Waits direction) {
  return direction == Handle::Waits::read ? asio::posix::stream_descriptor::wait_read
                                          : asio::posix::stream_descriptor::wait_write;
}

// Only a name that cannot be the end of a password with an '@' in it is shown.
std::string shown(const std::string& name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-'; };
  return std::ranges::all_of(name, plain) ? "'" + name + "'" : "in the database URL";
}

}  // namespace

bool Handle::start(const ConnectionInfo::Keywords& keywords) {
  close();
  connection_ = PQconnectStartParams(keywords.names.data(), keywords.values.data(), 0);
  if (connection_ == nullptr) return false;
  PQsetNoticeReceiver(connection_, &Handle::take_notice, this);
  return PQstatus(connection_) != CONNECTION_BAD;
}

void Handle::take_notice(void* handle, const PGresult* notice) {
  if (tells_of_unreplicated_commit(notice))
    static_cast<Handle*>(handle)->unreplicated_commit_ = true;
}

Handle::Poll Handle::poll() {
  // libpq may close this socket and open another: the loop must not watch it meanwhile.
  if (descriptor_.is_open()) std::ignore = descriptor_.release();
  switch (PQconnectPoll(connection_)) {
    case PGRES_POLLING_READING:
      return Poll::reading;
    case PGRES_POLLING_WRITING:
      return Poll::writing;
    case PGRES_POLLING_OK:
      return Poll::ready;
    default:
      return Poll::failed;
  }
}

bool Handle::watch() {
  if (descriptor_.is_open()) return true;
  const int socket = PQsocket(connection_);
  if (socket < 0) return false;
  boost::system::error_code error;
  descriptor_.assign(socket, error);
  return !error;
}

Task<bool> Handle::wait(Waits direction) {
  if (connection_ == nullptr || !watch()) co_return false;
  boost::system::error_code error;
  co_await descriptor_.async_wait(kind(direction),
                                  asio::redirect_error(asio::use_awaitable, error));
  co_return !error && connection_ != nullptr;
}

void Handle::interrupt() {
  boost::system::error_code error;
  descriptor_.cancel(error);
}

bool Handle::begin_pipeline() {
  return PQsetnonblocking(connection_, 1) == 0 && PQenterPipelineMode(connection_) == 1 && watch();
}

bool Handle::send(const Pipeline::Send& message) {
  using What = Pipeline::Send::What;
  if (message.what == What::sync) return PQpipelineSync(connection_) == 1;
  // A view of a constant need not end with a NUL.
  if (message.what == What::prepare) {
    const std::string sql{message.command->query->sql};
    return PQsendPrepare(connection_, message.name.c_str(), sql.c_str(), 0, nullptr) == 1;
  }
  const ParamArrays params{message.command->params};
  if (message.what == What::execute) {
    return PQsendQueryPrepared(connection_, message.name.c_str(), params.count(),
                               params.values.data(), params.lengths.data(), params.formats.data(),
                               0) == 1;
  }
  const std::string sql{message.command->query->sql};
  return PQsendQueryParams(connection_, sql.c_str(), params.count(), nullptr, params.values.data(),
                           params.lengths.data(), params.formats.data(), 0) == 1;
}

Handle::Flush Handle::flush() {
  switch (PQflush(connection_)) {
    case 0:
      return Flush::done;
    case 1:
      return Flush::pending;
    default:
      return Flush::failed;
  }
}

void Handle::when_writable(std::function<void()> then) {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_write,
                         [call = std::move(then)](const boost::system::error_code& error) {
                           if (!error) call();
                         });
}

bool Handle::consume() {
  do {
    if (PQconsumeInput(connection_) == 0) return false;
  } while (decrypted_bytes_wait(connection_));
  while (PGnotify* notification = PQnotifies(connection_)) PQfreemem(notification);
  return true;
}

bool Handle::has_result() {
  return PQisBusy(connection_) == 0;
}

ResultPtr Handle::next_result() {
  return ResultPtr{PQgetResult(connection_)};
}

bool Handle::in_transaction() const {
  return PQtransactionStatus(connection_) != PQTRANS_IDLE;
}

std::string Handle::error() const {
  return connection_ == nullptr ? "out of memory" : PQerrorMessage(connection_);
}

void Handle::close() {
  if (descriptor_.is_open())
    std::ignore = descriptor_.release();  // before another file gets its number
  if (connection_ != nullptr) PQfinish(connection_);
  connection_ = nullptr;
}

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
