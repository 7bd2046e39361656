// Listener: the accepting socket of one loop.
//
// When descriptors run out (EMFILE, ENFILE), accept() fails again and again while clients wait in
// the backlog. So one descriptor is kept in reserve: the listener gives it up to accept a few
// clients in their order, answer them 503 and close; then it pauses instead of spinning.
//
// Thread safety: the constructor on any thread, everything else on the loop's thread.
#pragma once

#include "drivers/http/loop.hpp"
#include "drivers/http/stream_connection.hpp"

namespace um::http {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // Takes over an acceptor that listens.
  Listener(std::shared_ptr<Loop> loop, Acceptor acceptor);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();
  void stop();

 private:
  static constexpr std::chrono::milliseconds kPause{50};
  static constexpr int kShedAtOnce = 16;

  void accept();
  void on_accept(const boost::system::error_code& error, Socket socket);
  void take(Socket socket);
  void drop(Socket socket);
  void shed();
  void pause();

  const std::shared_ptr<Loop> loop_;
  Acceptor acceptor_;
  boost::asio::steady_timer timer_;
  int reserve_ = -1;
  bool short_ = false;  // the shortage has been reported
};

// One acceptor for each loop on the same address and port, listening. Throws std::system_error with
// a sentence if the address is bad or taken.
std::vector<Acceptor> open_acceptors(const std::vector<boost::asio::io_context*>& contexts,
                                     const ServerOptions& options);

}  // namespace um::http
