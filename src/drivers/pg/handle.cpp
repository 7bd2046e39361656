#include "drivers/pg/handle.hpp"

#include <tuple>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <libpq-fe.h>
#include <openssl/ssl.h>

#include "drivers/pg/libpq.hpp"

namespace um::pg {

namespace asio = boost::asio;

namespace {

asio::posix::stream_descriptor::wait_type kind(Handle::Waits direction) {
  return direction == Handle::Waits::read ? asio::posix::stream_descriptor::wait_read
                                          : asio::posix::stream_descriptor::wait_write;
}

// Bytes that were decrypted and that no readiness of the socket will announce.
bool decrypted_bytes_wait(PGconn* connection) {
  auto* tls = static_cast<SSL*>(PQsslStruct(connection, "OpenSSL"));
  return tls != nullptr && SSL_pending(tls) > 0;
}

}  // namespace

bool Handle::start(const ConnectionInfo::Keywords& keywords) {
  close();
  connection_ = PQconnectStartParams(keywords.names.data(), keywords.values.data(), 0);
  if (connection_ == nullptr) return false;
  ignore_notices(connection_);
  return PQstatus(connection_) != CONNECTION_BAD;
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
    std::ignore = descriptor_.release();  // before its number can be another file's
  if (connection_ != nullptr) PQfinish(connection_);
  connection_ = nullptr;
}

}  // namespace um::pg
