#include "drivers/http/testing/test_server.hpp"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace um::http::testing {

using boost::asio::use_awaitable;

TestHandler::TestHandler()
    : big{std::make_shared<const std::string>(std::string(2'000'000, 'x') + "end")} {}

bool TestHandler::answer_now(const Request& request, Response& response) {
  ++calls_;
  response.add("X-Method", to_string(request.method));
  response.add("X-Secure", request.secure ? "yes" : "no");
  if (request.path == "/throw") throw std::runtime_error{"thrown at once"};
  if (request.path == "/field") {
    response.body = request.header(request.query);
    return true;
  }
  if (request.path == "/big") {
    response.shared_body = big;
    return true;
  }
  if (request.path == "/empty") response.status = 204;
  if (request.path == "/close") response.close = true;
  const bool later =
      request.path == "/echo" || request.path == "/wait" || request.path == "/throw-later";
  if (!later) response.body.append(request.path).append("?").append(request.query);
  return !later;
}

Task<void> TestHandler::answer(const Request& request, Response& response) {
  if (request.path == "/throw-later") throw std::runtime_error{"thrown later"};
  if (request.path == "/wait") co_await wait_for_release();
  response.body = request.body;
}

class TestHandler::Waiting {
 public:
  Waiting(TestHandler& handler, boost::asio::steady_timer& timer)
      : handler_{handler}, timer_{timer} {
    const std::lock_guard lock{handler_.mutex_};
    handler_.timers_.push_back(&timer_);
    ++handler_.waiting_;
    handler_.changed_.notify_all();
  }
  ~Waiting() {
    const std::lock_guard lock{handler_.mutex_};
    handler_.timers_.remove(&timer_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  bool is_over() {
    const std::lock_guard lock{handler_.mutex_};
    return handler_.released_;
  }
  void was_cancelled() {
    const std::lock_guard lock{handler_.mutex_};
    ++handler_.cancelled_;
    handler_.changed_.notify_all();
  }

 private:
  TestHandler& handler_;
  boost::asio::steady_timer& timer_;
};

Task<void> TestHandler::wait_for_release() {
  co_await boost::asio::this_coro::reset_cancellation_state(
      boost::asio::enable_total_cancellation());
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer{executor, boost::asio::steady_timer::time_point::max()};
  Waiting waiting{*this, timer};
  while (!waiting.is_over()) {
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(use_awaitable, ignored));
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() == boost::asio::cancellation_type::none) continue;
    waiting.was_cancelled();
    break;
  }
}

void TestHandler::release() {
  const std::lock_guard lock{mutex_};
  released_ = true;
  for (auto* const timer : timers_) {
    boost::asio::post(timer->get_executor(), [this, timer] {
      const std::lock_guard still_there{mutex_};
      if (std::ranges::find(timers_, timer) != timers_.end()) timer->cancel();
    });
  }
}

bool TestHandler::wait_until_waiting(std::size_t tasks) {
  return wait_for(waiting_, tasks);
}
bool TestHandler::wait_until_cancelled(std::size_t tasks) {
  return wait_for(cancelled_, tasks);
}

bool TestHandler::wait_for(const std::size_t& count, std::size_t tasks) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return count >= tasks; });
}

bool TestHandler::answer_without_body(const Request& request, Response& response) {
  if (request.path != "/unwanted") return false;
  response.status = 403;
  response.body = "no";
  return true;
}

void TestHandler::refuse(const Refusal& refusal, const FieldView& fields, Response& response) {
  response.add("Content-Type", "text/plain");
  response.add("X-Id", fields.only("x-id"));
  response.body = refusal.detail;
}

TestServer::TestServer(Limits limits, std::shared_ptr<boost::asio::ssl::context> tls)
    : TestServer{ServerOptions{.port = 0, .limits = limits, .tls = std::move(tls)}} {}

TestServer::TestServer(ServerOptions options) {
  std::vector<boost::asio::io_context*> loops;
  loops.reserve(2);
  for (int i = 0; i < 2; ++i) {
    loops.push_back(contexts_.emplace_back(std::make_unique<boost::asio::io_context>(1)).get());
  }
  server_ = std::make_unique<Server>(with_error_list(std::move(options)), loops, handler_);
  server_->start();
  for (auto* loop : loops) threads_.emplace_back([loop] { loop->run(); });
}

TestServer::~TestServer() {
  handler_.release();
  server_->drain(std::chrono::seconds{20});
  for (const auto& context : contexts_) context->stop();
  threads_.clear();
}

ServerOptions TestServer::with_error_list(ServerOptions options) {
  options.on_error = [this](std::string_view what) {
    const std::lock_guard lock{mutex_};
    errors_.emplace_back(what);
  };
  return options;
}

std::vector<std::string> TestServer::errors() {
  const std::lock_guard lock{mutex_};
  return errors_;
}

}  // namespace um::http::testing
