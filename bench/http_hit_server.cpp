// The HTTP server alone, answering every GET from memory: what a hit costs without the application.
//
//   http_hit_server [port] [loops]      then, in the same run: wrk -t1 -c64 -d5s
//   http://127.0.0.1:PORT/user/1
//
// The answer has the size of one user. For comparison nginx returns the same bytes
// (bench/http_hit_nginx.conf). Ends on SIGINT or SIGTERM.
#include <cstdlib>
#include <iostream>
#include <thread>

#include <boost/asio/signal_set.hpp>

#include "drivers/http/server.hpp"

namespace {

class HitHandler final : public um::http::Handler {
 public:
  bool answer_now(const um::http::Request&, um::http::Response& response) override {
    response.headers.append(
        "Content-Type: application/json\r\nETag: \"7\"\r\nCache-Control: private, no-cache\r\n");
    response.shared_body = body_;
    return true;
  }
  um::Task<void> answer(const um::http::Request&, um::http::Response&) override { co_return; }
  void refuse(const um::http::Refusal& refusal, const um::http::FieldView&,
              um::http::Response& response) override {
    response.body = refusal.detail;
  }

 private:
  std::shared_ptr<const std::string> body_ = std::make_shared<const std::string>(
      R"({"id":1,"email":"ada.lovelace@example.org","username":"ada","first_name":"Ada",)"
      R"("last_name":"Lovelace","role":"user","is_active":true,"quota_usd":100.000000,)"
      R"("used_usd":12.345678,"model_capability_settings":null,)"
      R"("created_at":"2026-01-01T00:00:00.000000Z","updated_at":"2026-01-01T00:00:00.000000Z",)"
      R"("last_login_at":"2026-01-01T00:00:00.000000Z","version":7})");
};

int number_or(int argc, char** argv, int index, int otherwise) {
  return argc > index ? std::atoi(argv[index]) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(number_or(argc, argv, 1, 8090));
  const int count = number_or(argc, argv, 2, 1);
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts;
  std::vector<boost::asio::io_context*> loops;
  for (int i = 0; i < count; ++i) {
    loops.push_back(contexts.emplace_back(std::make_unique<boost::asio::io_context>(1)).get());
  }
  HitHandler handler;
  um::http::Server server{{.port = port}, loops, handler};
  server.start();
  std::vector<std::jthread> threads;
  for (auto* loop : loops) threads.emplace_back([loop] { loop->run(); });
  std::cout << "listening on port " << server.port() << std::endl;

  boost::asio::io_context signals;
  boost::asio::signal_set stop{signals, SIGINT, SIGTERM};
  stop.async_wait([](const boost::system::error_code&, int) {});
  signals.run();
  server.drain(std::chrono::seconds{1});
  for (auto* loop : loops) loop->stop();
}
