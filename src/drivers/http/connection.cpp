#include "drivers/http/connection.hpp"

#include <algorithm>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "drivers/http/loop.hpp"

namespace um::http {
namespace {

// Did a cancelled operation end the task, which did not catch its exception?
bool says_cancelled(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    return error.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

Connection::Connection(std::shared_ptr<Loop> loop, Peer peer, Admission admission)
    : loop_{std::move(loop)},
      admission_{admission},
      peer_address_{std::move(peer.address)},
      parser_{loop_->limits()} {
  request_.peer_address = peer_address_;
  request_.secure = peer.secure;
}

Connection::~Connection() {
  if (is_linked()) loop_->forget(*this);
}

void Connection::start() {
  read_at_ = BootClock::now();
  loop_->remember(*this);
  if (admission_ == Admission::refuse) {
    refuse({Refusal::Reason::overloaded, "Too many connections."}, BodyWish::send);
    return;
  }
  state_ = State::handshake;
  deadline_ = read_at_ + loop_->limits().header_time;
  begin_handshake();
}

void Connection::on_handshake(ErrorCode error) {
  if (state_ == State::closed) return;
  if (error) return close();
  read_at_ = BootClock::now();
  work();
}

void Connection::on_read(ErrorCode error, std::size_t bytes) {
  if (state_ == State::closed) return;
  read_at_ = BootClock::now();
  if (timed_out_) {
    return refuse({Refusal::Reason::request_timeout, "The request did not arrive in time."},
                  body_wish());
  }
  if (error == boost::asio::error::eof && !input_.empty()) {
    return refuse({Refusal::Reason::bad_request, "The request is incomplete."}, body_wish());
  }
  if (draining_idle_ && error == boost::asio::error::operation_aborted) {
    return linger_until(stage_began_ + loop_->limits().idle_linger_time);
  }
  if (error) return close();
  input_.commit(bytes);
  work();
}

// Answers every request that is complete in the buffer.
void Connection::work() {
  while (true) {
    switch (parser_.advance(input_)) {
      case RequestParser::Progress::need_more:
        return wait_for_more();
      case RequestParser::Progress::refused:
        return refuse(parser_.refusal(), body_wish());
      case RequestParser::Progress::complete:
        break;
    }
    if (serve() == Next::wait) return;
  }
}

Connection::Next Connection::serve() {
  request_.bind(parser_, input_);
  request_.read_at = read_at_;
  response_.clear();
  bool answered = false;
  std::exception_ptr thrown;
  try {
    answered = loop_->handler().answer_now(request_, response_);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) {
    handler_threw(thrown);
    return Next::wait;
  }
  if (answered) return finish_answer();
  // The answers before this one must not wait for the task.
  if (flush(AfterWrite::start_task) == Next::go_on) start_task();
  return Next::wait;
}

// go_on: the handler needs the body.
Connection::Next Connection::answer_without_body() {
  request_.bind(parser_, input_);
  request_.read_at = read_at_;
  response_.clear();
  try {
    if (!loop_->handler().answer_without_body(request_, response_)) return Next::go_on;
  } catch (...) {
    handler_threw(std::current_exception());
    return Next::wait;
  }
  response_.close = true;
  return finish_answer();
}

Connection::Next Connection::finish_answer() {
  const Head& head = parser_.head();
  const bool close =
      response_.close || head.persistence == Persistence::close || loop_->last_answers();
  ConnectionField field = ConnectionField::none;
  if (close) {
    field = ConnectionField::close;
  } else if (head.version == Version::http_1_0) {
    field = ConnectionField::keep_alive;
  }
  output_.append(
      response_,
      {.date_line = loop_->date_line(read_at_), .body = body_wish(), .connection = field});
  parser_.next(input_);
  timing_ = Timing::idle;
  continued_ = false;
  if (close) {
    if (flush(AfterWrite::end) == Next::go_on) end();
    return Next::wait;
  }
  if (output_.size() < loop_->limits().output_bytes) return Next::go_on;
  return flush(AfterWrite::work);
}

void Connection::start_task() {
  state_ = State::answering;
  task_abandoned_ = false;
  const ConnectionPtr self{this};
  auto done = [self](std::exception_ptr thrown) { self->on_answered(thrown); };
  boost::asio::co_spawn(loop_->executor(), loop_->handler().answer(request_, response_),
                        boost::asio::bind_cancellation_slot(task_cancellation_.slot(), done));
}

void Connection::on_answered(std::exception_ptr thrown) {
  if (state_ == State::closed) return;
  // Requests behind this one, which were read meanwhile, count as read now: a later time is safe.
  read_at_ = BootClock::now();
  if (thrown && task_abandoned_ && says_cancelled(thrown)) return close();
  if (thrown) return handler_threw(thrown);
  if (finish_answer() == Next::go_on) work();
}

void Connection::handler_threw(std::exception_ptr thrown) {
  loop_->report(thrown);
  refuse({Refusal::Reason::internal, "The server failed to answer."}, body_wish());
}

// The last answer of this connection.
void Connection::refuse(const Refusal& refusal, BodyWish body) {
  loop_->count_refusal();
  response_.clear();
  loop_->refuse(refusal, {input_.data(), parser_.head().fields}, response_);
  output_.append(response_, {.date_line = loop_->date_line(read_at_),
                             .body = body,
                             .connection = ConnectionField::close});
  if (flush(AfterWrite::end) == Next::go_on) end();
}

BodyWish Connection::body_wish() const {
  return parser_.is_head_request() ? BodyWish::omit : BodyWish::send;
}

void Connection::wait_for_more() {
  const bool in_body = parser_.stage() == RequestParser::Stage::body;
  if (in_body && parser_.head().expects_continue && parser_.body_size() == 0 && !continued_) {
    if (answer_without_body() == Next::wait) return;
    output_.append("HTTP/1.1 100 Continue\r\n\r\n");
    continued_ = true;
  }
  if (flush(AfterWrite::work) == Next::wait) return;
  if (input_.empty()) {
    if (loop_->draining()) return end();
    input_.shrink();
  }
  set_read_deadline();
  const std::span<char> room = input_.prepare(RequestParser::max_bytes(loop_->limits()));
  state_ = State::reading;
  begin_read(room);
}

void Connection::set_read_deadline() {
  const Limits& limits = loop_->limits();
  Timing timing = Timing::header;
  if (parser_.stage() == RequestParser::Stage::body) {
    timing = Timing::body;
  } else if (input_.empty()) {
    timing = Timing::idle;
  }
  if (timing != timing_ || timing == Timing::idle) stage_began_ = read_at_;
  timing_ = timing;
  switch (timing) {
    case Timing::idle:
      deadline_ = stage_began_ + limits.idle_time;
      return;
    case Timing::header:
      deadline_ = stage_began_ + limits.header_time;
      return;
    case Timing::body:
      deadline_ = stage_began_ + limits.body_time;
      return;
  }
}

bool Connection::body_is_too_slow(BootTime now) const {
  const Limits& limits = loop_->limits();
  if (timing_ != Timing::body || now - stage_began_ < limits.body_grace) return false;
  const auto wanted = std::chrono::duration<double>(now - stage_began_).count() *
                      static_cast<double>(limits.body_bytes_per_second);
  return static_cast<double>(parser_.body_size()) < wanted;
}

void Connection::sweep(BootTime now) {
  const ConnectionPtr self{this};  // see close()
  switch (state_) {
    case State::closed:
      return;
    case State::answering:
      if (peer_is_gone()) abandon_task();
      return;
    case State::reading:
      if (timed_out_ || (now < deadline_ && !body_is_too_slow(now))) return;
      if (timing_ == Timing::idle) return close();
      timed_out_ = true;
      return cancel();
    case State::handshake:
    case State::writing:
    case State::ending:
    case State::discarding:
      if (now >= deadline_) close();
      return;
  }
}

void Connection::drain() {
  if (state_ == State::handshake) return close();
  if (state_ != State::reading || timing_ != Timing::idle || draining_idle_) return;
  const BootTime now = BootClock::now();
  if (has_unread()) {
    deadline_ = std::min(deadline_, now + loop_->limits().linger_time);
    return;
  }
  if (now - stage_began_ >= loop_->limits().idle_linger_time) return close();
  draining_idle_ = true;
  cancel();
}

// Writes the gathered answers; go_on if all bytes are sent, otherwise `after` follows when they
// are.
Connection::Next Connection::flush(AfterWrite after) {
  if (output_.empty()) return Next::go_on;
  ErrorCode error;
  output_.consume(write_now(output_.buffers(), error));
  if (output_.empty()) return Next::go_on;
  if (error && error != boost::asio::error::would_block) {
    close();
    return Next::wait;
  }
  after_write_ = after;
  state_ = State::writing;
  deadline_ = BootClock::now() + loop_->limits().write_time;
  begin_write(output_.buffers());
  return Next::wait;
}

void Connection::on_written(ErrorCode error, std::size_t bytes) {
  if (state_ == State::closed) return;
  if (error) return close();
  output_.consume(bytes);
  if (flush(after_write_) == Next::go_on) proceed(after_write_);
}

void Connection::proceed(AfterWrite after) {
  switch (after) {
    case AfterWrite::work:
      read_at_ = BootClock::now();
      return work();
    case AfterWrite::start_task:
      return start_task();
    case AfterWrite::end:
      return end();
  }
}

// After the last answer: ends the sending side, then reads and drops the bytes that the client
// still sends, until the client closes as well. If the server closed with bytes unread, the kernel
// would reset the connection and the client would lose the answer.
void Connection::end() {
  linger_until(BootClock::now() + loop_->limits().linger_time);
}

void Connection::linger_until(BootTime deadline) {
  state_ = State::ending;
  deadline_ = deadline;
  begin_end_of_sending();
}

void Connection::on_sending_ended() {
  if (state_ != State::closed) discard();
}

void Connection::discard() {
  state_ = State::discarding;
  input_.clear();
  begin_discard(input_.prepare(RequestParser::max_bytes(loop_->limits())));
}

void Connection::on_discarded(ErrorCode error, std::size_t bytes) {
  if (state_ == State::closed) return;
  discarded_bytes_ += bytes;
  if (error || discarded_bytes_ > loop_->limits().linger_bytes) return close();
  discard();
}

void Connection::close() {
  if (state_ == State::closed) return;
  // The cancelled task may end, and drop its reference, inside of emit().
  const ConnectionPtr self{this};
  const bool has_task = state_ == State::answering;
  state_ = State::closed;
  close_socket();
  loop_->forget(*this);
  if (has_task) abandon_task();
}

void Connection::abandon_task() {
  task_abandoned_ = true;
  task_cancellation_.emit(boost::asio::cancellation_type::total);
}

}  // namespace um::http
