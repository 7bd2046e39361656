#include "drivers/http/loop.hpp"

#include <algorithm>

namespace um::http {

Loop::Loop(boost::asio::io_context& context, std::shared_ptr<ServerState> state)
    : context_{context}, state_{std::move(state)}, timer_{context} {}

void Loop::start() {
  schedule_sweep();
}

void Loop::drain() {
  last_answers_ = draining_ = true;
  for (auto next = connections_.begin(); next != connections_.end();) {
    Connection& connection = *next++;
    connection.drain();
  }
}

void Loop::stop() {
  stopped_ = true;
  timer_.cancel();
  while (!connections_.empty()) connections_.front().close();
}

Admission Loop::admit() {
  counters_.accepted.add();
  if (state_->open.fetch_add(1) < limits().connections) return Admission::serve;
  state_->open.fetch_sub(1);
  counters_.refused_connections.add();
  return Admission::refuse;
}

void Loop::refuse(const Refusal& refusal, const FieldView& fields, Response& response) {
  try {
    handler().refuse(refusal, fields, response);
  } catch (...) {
    response.clear();
    report(std::current_exception());
  }
  response.status = status_of(refusal.reason);
  if (refusal.reason == Refusal::Reason::overloaded &&
      response.headers.find("Retry-After:") == std::string::npos) {
    response.add("Retry-After", "1");
  }
}

void Loop::report(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    report(error.what());
  } catch (...) {
    report("something that is not an exception");
  }
}

void Loop::report(std::string_view what) {
  if (options().on_error) options().on_error(what);
}

void Loop::remember(Connection& connection) {
  connections_.push_back(connection);
  if (connection.admission() == Admission::refuse) ++refusing_;
}

void Loop::forget(Connection& connection) {
  connections_.erase(connections_.iterator_to(connection));
  if (connection.admission() == Admission::refuse) {
    --refusing_;
    return;
  }
  if (state_->open.fetch_sub(1) > 1) return;
  const std::lock_guard lock{state_->mutex};
  state_->changed.notify_all();
}

void Loop::schedule_sweep() {
  timer_.expires_after(sweep_interval());
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->stopped_) return;
    self->sweep();
    self->schedule_sweep();
  });
}

void Loop::sweep() {
  const BootTime now = BootClock::now();
  for (auto next = connections_.begin(); next != connections_.end();) {
    Connection& connection = *next++;
    connection.sweep(now);
  }
}

std::chrono::nanoseconds Loop::sweep_interval() const {
  const Limits& l = limits();
  const auto shortest = std::min(
      {l.header_time, l.body_time, l.body_grace, l.idle_time, l.write_time, l.linger_time});
  return std::clamp<std::chrono::nanoseconds>(shortest / 4, std::chrono::milliseconds{5},
                                              std::chrono::milliseconds{250});
}

}  // namespace um::http
