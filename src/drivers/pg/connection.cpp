#include "drivers/pg/connection.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <libpq-fe.h>

#include "drivers/pg/libpq.hpp"

namespace um::pg {

namespace asio = boost::asio;

namespace {

Failure lost_because(std::string message) {
  return {.kind = Failure::lost, .message = std::move(message)};
}

// FATAL and PANIC end the connection; without a SQLSTATE libpq itself found it broken.
bool ends_connection(const PGresult* result) {
  return error_field(result, PG_DIAG_SQLSTATE).empty() ||
         error_field(result, PG_DIAG_SEVERITY_NONLOCALIZED) != "ERROR";
}

}  // namespace

Connection::Connection(Handle::Executor executor, std::shared_ptr<const Settings> settings,
                       Owner& owner)
    : executor_{executor},
      settings_{std::move(settings)},
      owner_{owner},
      opener_{executor, settings_->opener} {}

void Connection::open(std::shared_ptr<void> keep_alive, std::uint64_t epoch) {
  state_ = State::opening;
  marks = {};
  epoch_ = epoch;
  keep_alive_ = keep_alive;
  asio::co_spawn(executor_, live(keep_alive),
                 [this, keep_alive, epoch](const std::exception_ptr& thrown) {
                   if (thrown && epoch == epoch_ && state_ != State::closed) {
                     lose(lost_because("an exception ended the connection"));
                   }
                 });
}

// The connection may be closed, and opened again, during every wait: then this coroutine is of an
// earlier connection and ends.
Task<void> Connection::live([[maybe_unused]] std::shared_ptr<void> keep_alive) {
  const auto epoch = epoch_;
  auto opened = co_await opener_.open();
  if (epoch != epoch_ || state_ != State::opening) co_return;
  if (!opened) {
    lose(opened.error());
    co_return;
  }
  const std::shared_ptr<Handle> handle = *std::move(opened);
  handle_ = handle;
  begin_setup();
  while (handle_ == handle) {
    const bool readable = co_await handle->wait(Handle::Waits::read);
    if (handle_ != handle) co_return;
    if (readable) {
      receive();
    } else {
      lose(lost_because("the connection cannot be watched"));
    }
  }
}

void Connection::begin_setup() {
  if (!handle_->begin_pipeline()) {
    lose(lost_because("pipeline mode was refused"));
    return;
  }
  setup_ = std::make_shared<Unit>(settings_->setup);
  push(setup_);
}

void Connection::end_setup(const Unit& setup) {
  setup_.reset();
  if (setup.failure) {
    lose(lost_because("a statement that every new connection runs failed (SQLSTATE " +
                      setup.failure->sqlstate + "): " + setup.failure->message));
    return;
  }
  server_process_ = static_cast<int>(setup.answers.front().integer(0, 0));
  note_.reset();
  if (settings_->note == Settings::Note::last_value) {
    const Rows& last = setup.answers.back();
    if (!last.empty() && last.columns() > 0 && !last.null(0, 0)) {
      note_ = std::make_shared<const std::string>(last.text(0, 0));
    }
  }
  state_ = State::open;
  owner_.opened(*this);
}

bool Connection::send(const std::shared_ptr<Unit>& unit) {
  return push(unit);
}

bool Connection::push(const std::shared_ptr<Unit>& unit) {
  pipeline_.push(unit, BootClock::now());
  while (auto message = pipeline_.next_to_send()) {
    if (handle_->send(*message)) continue;
    const Failure why = lost_because(settings_->opener.info->scrubbed(handle_->error()));
    if (message->what == Pipeline::Send::What::sync) {
      lose(why);  // the server may have all of it
      return true;
    }
    const bool was_open = state_ == State::open;
    auto others = reset();
    std::erase(others, unit);
    if (was_open) {
      owner_.lost(*this, std::move(others), why);
    } else {
      owner_.not_opened(*this, why);
    }
    return false;
  }
  flush();
  return true;
}

void Connection::flush() {
  if (flushing_) return;
  const auto state = handle_->flush();
  if (state == Handle::Flush::failed) {
    lose(lost_because(settings_->opener.info->scrubbed(handle_->error())));
  } else if (state == Handle::Flush::pending) {
    flushing_ = true;
    handle_->when_writable([this, handle = handle_, keep_alive = keep_alive_.lock()] {
      if (handle_ != handle) return;
      flushing_ = false;
      flush();
    });
  }
}

void Connection::receive() {
  const auto handle = handle_;
  const bool alive = handle->consume();
  bool ended = false;  // the command before; two ends in a row belong to nothing
  while (handle_ == handle && pipeline_.expects_reply() && handle->has_result()) {
    auto result = handle->next_result();
    if (!result && ended) return lose(lost_because("libpq lost count of the replies"));
    ended = !result;
    if (result) take(std::move(result));
  }
  if (handle_ != handle) return;
  if (!alive) {
    lose(lost_because(settings_->opener.info->scrubbed(handle->error())));
  } else {
    flush();
  }
}

void Connection::take(ResultPtr result) {
  using What = Pipeline::Reply::What;
  Pipeline::Reply reply{.what = What::done};
  switch (PQresultStatus(result.get())) {
    case PGRES_PIPELINE_SYNC:
      reply.what = What::synced;
      reply.not_replicated = handle_->take_unreplicated_commit();
      break;
    case PGRES_PIPELINE_ABORTED:
      reply.what = What::aborted;
      break;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      reply.rows = Rows{std::move(result), note_};
      break;
    case PGRES_FATAL_ERROR:
      reply.what = What::error;
      reply.failure = failure_of(result.get());
      if (ends_connection(result.get())) {
        if (reply.failure.message.empty()) {
          reply.failure.message = settings_->opener.info->scrubbed(handle_->error());
        }
        reply.failure.kind = Failure::lost;
        return lose(reply.failure);
      }
      break;
    default:
      return lose(lost_because("a reply of an unexpected kind"));
  }
  auto effect = pipeline_.receive(std::move(reply), BootClock::now());
  if (!effect.expected) return lose(lost_because("a reply to nothing that was sent"));
  if (effect.answered != nullptr && settings_->executed) {
    settings_->executed(*effect.answered, effect.took, effect.failed);
  }
  if (!effect.finished) return;
  if (state_ == State::stalled) {
    if (pipeline_.in_flight() == 0) lose(lost_because("all was answered, but too late"));
  } else if (effect.finished == setup_) {
    end_setup(*effect.finished);
  } else {
    owner_.answered(*this, std::move(effect.finished));
  }
}

void Connection::stall(const Failure& why) {
  const bool was_open = state_ == State::open;
  state_ = State::stalled;
  if (was_open) {
    owner_.stalled(*this, pipeline_.unanswered(), why);
  } else {
    owner_.not_opened(*this, why);
  }
}

void Connection::lose(const Failure& why) {
  const State before = state_;
  auto units = reset();
  switch (before) {
    case State::closed:
      break;
    case State::opening:
      owner_.not_opened(*this, why);
      break;
    case State::open:
      owner_.lost(*this, std::move(units), why);
      break;
    case State::stalled:
      owner_.ended(*this);
      break;
  }
}

std::vector<std::shared_ptr<Unit>> Connection::stop() {
  if (state_ == State::opening) opener_.abort();
  return reset();
}

std::vector<std::shared_ptr<Unit>> Connection::reset() {
  state_ = State::closed;
  flushing_ = false;
  setup_.reset();
  if (handle_) handle_->close();
  handle_.reset();
  return pipeline_.drop();
}

void Connection::expire(BootTime now) {
  if (state_ != State::opening && state_ != State::open) return;
  if (!handle_) return opener_.expire(now);
  const auto bound = state_ == State::open ? settings_->stall_bound : settings_->opener.per_address;
  if (pipeline_.stalled(now, bound)) stall(lost_because("no answer in time"));
}

}  // namespace um::pg
