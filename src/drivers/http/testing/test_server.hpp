// For tests: a server on a free loopback port with an application that echoes its requests.
#pragma once

#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include <boost/asio/steady_timer.hpp>

#include "drivers/http/server.hpp"

namespace um::http::testing {

// GET  /now…      answered at once: the path and the query
// POST /echo      a task: the body
// GET  /field?x   at once: the value of the field x
// GET  /big       at once: kBig, shared
// GET  /wait      a task that waits for release(), and may be cancelled by its client's going away
// /unwanted       403 instead of 100 Continue
// A refusal: its detail, and the field X-Id.
// GET  /throw, /throw-later, /close, /empty (204)
class TestHandler final : public Handler {
 public:
  TestHandler();
  bool answer_now(const Request& request, Response& response) override;
  Task<void> answer(const Request& request, Response& response) override;
  bool answer_without_body(const Request& request, Response& response) override;
  void refuse(const Refusal& refusal, const FieldView& fields, Response& response) override;

  std::size_t calls() const { return calls_; }
  // Ends the wait of the tasks at /wait, of present and future ones.
  void release();
  // Waits until this many tasks have reached /wait, or were cancelled there. False after 20 s.
  bool wait_until_waiting(std::size_t tasks);
  bool wait_until_cancelled(std::size_t tasks);

  const std::shared_ptr<const std::string> big;

 private:
  // Keeps a task's timer in timers_ for as long as its frame lives.
  class Waiting;

  Task<void> wait_for_release();
  bool wait_for(const std::size_t& count, std::size_t tasks);

  std::atomic<std::size_t> calls_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  std::size_t cancelled_ = 0;
  bool released_ = false;
  std::list<boost::asio::steady_timer*> timers_;  // the waiting tasks'
};

class TestServer {
 public:
  explicit TestServer(Limits limits = {}, std::shared_ptr<boost::asio::ssl::context> tls = {});
  explicit TestServer(ServerOptions options);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  TestHandler& handler() { return handler_; }
  Server& server() { return *server_; }
  std::uint16_t port() const { return server_->port(); }
  std::vector<std::string> errors();

 private:
  ServerOptions with_error_list(ServerOptions options);

  TestHandler handler_;
  std::mutex mutex_;
  std::vector<std::string> errors_;
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::unique_ptr<Server> server_;
  std::vector<std::jthread> threads_;
};

}  // namespace um::http::testing
