#include "drivers/http/server.hpp"

#include "drivers/http/listener.hpp"
#include "drivers/http/loop.hpp"

namespace um::http {

class Server::Impl {
 public:
  Impl(ServerOptions options, const std::vector<boost::asio::io_context*>& contexts,
       Handler& handler)
      : shared_{std::make_shared<Shared>(std::move(options), handler)} {
    std::vector<Acceptor> acceptors = open_acceptors(contexts, shared_->options);
    port_ = acceptors.front().local_endpoint().port();
    for (std::size_t i = 0; i < contexts.size(); ++i) {
      auto& loop = loops_.emplace_back(std::make_shared<Loop>(*contexts[i], shared_));
      listeners_.push_back(std::make_shared<Listener>(loop, std::move(acceptors[i])));
    }
  }

  ~Impl() {
    on_every_loop([](Loop& loop, Listener& listener) {
      listener.stop();
      loop.stop();
    });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start() {
    on_every_loop([](Loop& loop, Listener& listener) {
      loop.start();
      listener.start();
    });
  }

  std::uint16_t port() const { return port_; }

  void announce_end() {
    on_every_loop([](Loop& loop, Listener&) { loop.begin_last_answers(); });
  }

  bool drain(std::chrono::nanoseconds at_most) {
    if (drained_.exchange(true)) return shared_->open.load() == 0;
    const auto until = std::chrono::steady_clock::now() + at_most;
    const auto draining = std::make_shared<Countdown>(shared_, loops_.size());
    on_every_loop([draining](Loop& loop, Listener& listener) {
      listener.stop();
      loop.drain();
      draining->count();
    });
    std::unique_lock lock{shared_->mutex};
    const bool finished = shared_->changed.wait_until(
        lock, until, [&] { return draining->done() && shared_->open.load() == 0; });
    lock.unlock();
    close_all();
    return finished;
  }

  ServerStats stats() const {
    ServerStats stats;
    for (const auto& loop : loops_) loop->add_to(stats);
    stats.open_connections = shared_->open.load(std::memory_order_relaxed);
    return stats;
  }

 private:
  // How many loops have not yet done something.
  class Countdown {
   public:
    Countdown(std::shared_ptr<Shared> shared, std::size_t left)
        : shared_{std::move(shared)}, left_{left} {}
    void count() {
      const std::lock_guard lock{shared_->mutex};
      --left_;
      shared_->changed.notify_all();
    }
    // REQUIRES: the mutex is held.
    bool done() const { return left_ == 0; }

   private:
    const std::shared_ptr<Shared> shared_;
    std::size_t left_;
  };

  template <class Action>
  void on_every_loop(Action action) {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      auto act = [action, loop = loops_[i], listener = listeners_[i]] { action(*loop, *listener); };
      boost::asio::post(loops_[i]->executor(), std::move(act));
    }
  }

  // Waits a little, so that the sockets are closed when drain() returns; not for ever, because
  // loops that do not run never get to it.
  void close_all() {
    const auto closing = std::make_shared<Countdown>(shared_, loops_.size());
    on_every_loop([closing](Loop& loop, Listener&) {
      loop.stop();
      closing->count();
    });
    std::unique_lock lock{shared_->mutex};
    shared_->changed.wait_for(lock, std::chrono::seconds{1}, [&] { return closing->done(); });
  }

  const std::shared_ptr<Shared> shared_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::uint16_t port_ = 0;
  std::atomic<bool> drained_{false};
};

Server::Server(ServerOptions options, std::vector<boost::asio::io_context*> loops, Handler& handler)
    : impl_{std::make_unique<Impl>(std::move(options), loops, handler)} {}
Server::~Server() = default;
void Server::start() {
  impl_->start();
}
std::uint16_t Server::port() const {
  return impl_->port();
}
void Server::announce_end() {
  impl_->announce_end();
}
bool Server::drain(std::chrono::nanoseconds at_most) {
  return impl_->drain(at_most);
}
ServerStats Server::stats() const {
  return impl_->stats();
}

}  // namespace um::http
