#include "drivers/redis/connection.hpp"

#include <boost/asio/steady_timer.hpp>
#include <openssl/crypto.h>

namespace um::redis {

Connection::Connection(boost::asio::io_context& loop, TlsContext tls, Options options,
                       TaskGroup& tasks)
    : loop_{loop},
      tasks_{tasks},
      connect_timeout_{options.connect_timeout},
      on_answer_{std::move(options.on_answer)},
      stream_{make_stream(loop, std::move(tls))},
      pipeline_{options.limits, options.greeting} {}

Task<bool> Connection::open(const Endpoint& endpoint) {
  const auto self = shared_from_this();
  // Breaking off closes the stream, which ends whatever takes too long.
  boost::asio::steady_timer timer{loop_, connect_timeout_};
  timer.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
    const auto alive = weak.lock();
    if (!cancelled && alive && !alive->ready())
      alive->break_off(Breakage::timeout, "connecting took too long");
  });
  const std::expected<void, Stream::Problem> opened = co_await stream_->open(endpoint);
  if (!opened) {
    break_off(opened.error().breakage, opened.error().message);
    co_return false;
  }
  opened_ = true;
  flush();
  while (!ready()) {
    const bool more = co_await read_once();
    if (!more) co_return false;
  }
  co_return true;
}

Task<void> Connection::serve() {
  const auto self = shared_from_this();
  for (;;) {
    const bool more = co_await read_once();
    if (!more) co_return;
  }
}

Task<bool> Connection::read_once() {
  if (broken()) co_return false;
  const std::expected<std::size_t, Stream::Problem> size = co_await stream_->read_some(input_);
  if (!size) {
    break_off(size.error().breakage, size.error().message);
    co_return false;
  }
  for (Pipeline::Answer& answer : pipeline_.receive({input_.data(), *size})) {
    on_answer_(answer.reply);
    const auto call = calls_.extract(answer.ticket);
    if (call) call.mapped()->end(std::move(answer.reply));
  }
  if (broken()) {
    after_breakage();
    co_return false;
  }
  flush();  // the end of the greeting releases the commands of callers
  co_return true;
}

void Connection::flush() {
  if (!opened_ || writing_ || broken()) return;
  writing_ = true;  // before it begins: it may end at once
  tasks_.spawn(loop_.get_executor(), write_all());
}

Task<void> Connection::write_all() {
  const auto self = shared_from_this();
  for (;;) {
    std::string output = pipeline_.take_output();
    if (output.empty()) break;
    const bool greeting = pipeline_.phase() == Pipeline::Phase::greeting;
    const std::expected<void, Stream::Problem> written = co_await stream_->write(output);
    if (greeting) ::OPENSSL_cleanse(output.data(), output.size());
    if (!written) {
      break_off(written.error().breakage, written.error().message);
      break;
    }
  }
  writing_ = false;
}

Outcome<Pipeline::Ticket> Connection::add(const Command& command, Pending& call) {
  Outcome<Pipeline::Ticket> ticket = pipeline_.add(command);
  if (!ticket) return ticket;
  calls_.emplace(*ticket, &call);
  flush();
  return ticket;
}

void Connection::abandon(Pipeline::Ticket ticket, Breakage reason) {
  if (calls_.erase(ticket) == 0) return;
  pipeline_.abandon(ticket, reason);
  if (broken()) after_breakage();
}

void Connection::break_off(Breakage reason, const std::string& why) {
  if (broken()) return;
  was_idle_ = pipeline_.idle();
  pipeline_.break_off(reason, why);
  after_breakage();
}

void Connection::after_breakage() {
  stream_->close();
  auto calls = std::exchange(calls_, {});
  for (const auto& [ticket, call] : calls) {
    call->end(std::unexpected{Failure{.kind = Failure::Kind::lost, .message = why()}});
  }
}

}  // namespace um::redis
