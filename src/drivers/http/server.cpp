#include "drivers/http/server.hpp"

#include "drivers/http/listener.hpp"
#include "drivers/http/loop.hpp"

namespace um::http {

// How many loops have not yet done something.
class Server::Countdown {
 public:
  Countdown(std::shared_ptr<ServerState> state, std::size_t left)
      : state_{std::move(state)}, left_{left} {}
  void count() {
    const std::lock_guard lock{state_->mutex};
    --left_;
    state_->changed.notify_all();
  }
  // REQUIRES: the mutex is held.
  bool done() const { return left_ == 0; }

 private:
  const std::shared_ptr<ServerState> state_;
  std::size_t left_;
};

template <class Action>
void Server::on_every_loop(Action action) {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    auto act = [action, loop = loops_[i], listener = listeners_[i]] { action(*loop, *listener); };
    boost::asio::post(loops_[i]->executor(), std::move(act));
  }
}

Server::Server(ServerOptions options, std::vector<boost::asio::io_context*> contexts,
               Handler& handler)
    : state_{std::make_shared<ServerState>(std::move(options), handler)} {
  std::vector<Acceptor> acceptors = open_acceptors(contexts, state_->options);
  port_ = acceptors.front().local_endpoint().port();
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    auto& loop = loops_.emplace_back(std::make_shared<Loop>(*contexts[i], state_));
    listeners_.push_back(std::make_shared<Listener>(loop, std::move(acceptors[i])));
  }
}

Server::~Server() {
  on_every_loop([](Loop& loop, Listener& listener) {
    listener.stop();
    loop.stop();
  });
}

void Server::start() {
  on_every_loop([](Loop& loop, Listener& listener) {
    loop.start();
    listener.start();
  });
}

void Server::announce_end() {
  on_every_loop([](Loop& loop, Listener&) { loop.begin_last_answers(); });
}

bool Server::drain(std::chrono::nanoseconds at_most) {
  if (drained_.exchange(true)) return state_->open.load() == 0;
  const auto until = std::chrono::steady_clock::now() + at_most;
  const auto draining = std::make_shared<Countdown>(state_, loops_.size());
  on_every_loop([draining](Loop& loop, Listener& listener) {
    listener.stop();
    loop.drain();
    draining->count();
  });
  std::unique_lock lock{state_->mutex};
  const bool finished = state_->changed.wait_until(
      lock, until, [&] { return draining->done() && state_->open.load() == 0; });
  lock.unlock();
  close_all();
  return finished;
}

// Waits a little, so that the sockets are closed when drain() returns; not for ever, because loops
// that do not run never execute it.
void Server::close_all() {
  const auto closing = std::make_shared<Countdown>(state_, loops_.size());
  on_every_loop([closing](Loop& loop, Listener&) {
    loop.stop();
    closing->count();
  });
  std::unique_lock lock{state_->mutex};
  state_->changed.wait_for(lock, std::chrono::seconds{1}, [&] { return closing->done(); });
}

ServerStats Server::stats() const {
  ServerStats stats;
  for (const auto& loop : loops_) loop->add_to(stats);
  stats.open_connections = state_->open.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace um::http
