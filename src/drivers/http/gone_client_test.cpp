// A client that disconnects while its request waits in a queue of the application.
#include <future>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/work_pool.hpp"
#include "drivers/http/server.hpp"
#include "drivers/http/testing/test_requests.hpp"
#include "support/http_client.hpp"

namespace um::http {
namespace {

using namespace std::chrono_literals;
using e2e::HttpConnection;
using ::testing::EndsWith;
using testing::target;

// GET /block: work that lasts until open(). GET /work: work behind it. GET /throw: throws when it
// is cancelled, as an operation without error code does.
class QueueHandler final : public Handler {
 public:
  bool answer_now(const Request&, Response&) override { return false; }
  Task<void> answer(const Request& request, Response& response) override {
    if (request.path == "/throw") co_await wait_and_throw();
    std::function<void()> work = [] {};
    if (request.path == "/block") {
      work = [this, opened = opened_] {
        blocked = true;
        opened.wait();
      };
    }
    const Result<void> done = co_await pool.run(std::move(work), Deadline::never());
    response.body = done ? "done" : done.error().detail;
  }
  void refuse(const Refusal& refusal, const FieldView&, Response& response) override {
    response.body = refusal.detail;
  }
  void open() { gate_.set_value(); }

  SystemClock clock;
  WorkPool pool{{.threads = 1, .queue = 10}, clock};
  std::atomic<bool> blocked{false};
  std::atomic<bool> waits{false};
  std::atomic<bool> thrown{false};

 private:
  Task<void> wait_and_throw() {
    co_await boost::asio::this_coro::reset_cancellation_state(
        boost::asio::enable_total_cancellation());
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor, 1h};
    waits = true;
    try {
      co_await timer.async_wait(boost::asio::use_awaitable);
    } catch (...) {
      thrown = true;
      throw;
    }
  }

  std::promise<void> gate_;
  std::shared_future<void> opened_ = gate_.get_future().share();
};

class GoneClient : public ::testing::Test {
 protected:
  GoneClient() {
    server_.start();
    thread_ = std::jthread{[this] { loop_.run(); }};
  }
  ~GoneClient() override {
    server_.drain(20s);
    loop_.stop();
  }
  ServerOptions options() {
    // The loop sweeps its connections four times within the shortest of these limits.
    Limits limits;
    limits.linger_time = 20ms;
    return {.port = 0, .limits = limits, .on_error = [this](std::string_view) { ++errors_; }};
  }
  template <class Condition>
  static bool comes_true(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool queued(std::size_t calls) {
    return comes_true([&] { return handler_.pool.stats().queued == calls; });
  }

  std::atomic<int> errors_{0};
  QueueHandler handler_;
  boost::asio::io_context loop_{1};
  Server server_{options(), {&loop_}, handler_};
  std::jthread thread_;
};

TEST_F(GoneClient, GivesUpItsPlaceInTheQueue) {
  HttpConnection first{{.port = server_.port()}};
  ASSERT_TRUE(first.write(target("/block") + target("/work")));
  ASSERT_TRUE(comes_true([this] { return handler_.blocked.load(); })) << "no longer in the queue";
  {
    HttpConnection second{{.port = server_.port()}};
    ASSERT_TRUE(second.write(target("/work")));
    EXPECT_TRUE(queued(1));
  }
  EXPECT_TRUE(queued(0)) << "while the thread is still busy";
  EXPECT_EQ(handler_.pool.stats().cancelled, 1u);
  handler_.open();
  EXPECT_THAT(first.answer_text(), EndsWith("done"));
  EXPECT_THAT(first.answer_text(), EndsWith("done"));
  EXPECT_EQ(errors_, 0);
}

TEST_F(GoneClient, IsNoErrorOfTheHandlerThatGaveUpForIt) {
  {
    HttpConnection client{{.port = server_.port()}};
    ASSERT_TRUE(client.write(target("/throw")));
    EXPECT_TRUE(comes_true([this] { return handler_.waits.load(); }));
  }
  EXPECT_TRUE(comes_true([this] { return handler_.thrown.load(); }));
  handler_.open();
  HttpConnection next{{.port = server_.port()}};
  ASSERT_TRUE(next.write(target("/work")));
  EXPECT_THAT(next.answer_text(), EndsWith("done"));
  EXPECT_EQ(errors_, 0);
}

}  // namespace
}  // namespace um::http
