// StaleProxy: stands before a server and breaks its promise: once it has seen a user, it answers
// reads of that user with what it saw first. Everything else it passes on.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <thread>

#include <boost/asio/io_context.hpp>

#include "drivers/http/server.hpp"
#include "support/http_client.hpp"

namespace um::e2e {

class StaleProxy final : private http::Handler {
 public:
  explicit StaleProxy(const Endpoint& server);
  ~StaleProxy() override;
  StaleProxy(const StaleProxy&) = delete;
  StaleProxy& operator=(const StaleProxy&) = delete;

  std::uint16_t port() const { return server_.port(); }

 private:
  bool answer_now(const http::Request& request, http::Response& response) override;
  Task<void> answer(const http::Request&, http::Response&) override { co_return; }
  void refuse(const http::Refusal&, const http::FieldView&, http::Response&) override {}

  HttpClient client_;
  std::map<std::string, HttpResponse> seen_{};  // by path
  boost::asio::io_context context_{1};
  http::Server server_;
  std::jthread thread_{};
};

}  // namespace um::e2e
