#include "monitor/metrics_server.hpp"

#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "drivers/http/server.hpp"
#include "telemetry/metrics_page.hpp"

namespace um {
namespace {

constexpr std::chrono::seconds kDrainTime{1};
constexpr std::size_t kConnections = 64;

class MetricsHandler final : public http::Handler {
 public:
  explicit MetricsHandler(std::function<std::string()> page) : page_{std::move(page)} {}

  bool answer_now(const http::Request& request, http::Response& response) override {
    const bool reads = request.method == http::Method::get || request.method == http::Method::head;
    if (request.path != "/metrics") {
      response.status = 404;
    } else if (!reads) {
      response.status = 405;
      response.add("Allow", "GET, HEAD");
    } else {
      response.add("Content-Type", MetricsPage::kContentType);
      response.body = page_();
    }
    return true;
  }
  Task<void> answer(const http::Request&, http::Response&) override { co_return; }
  void refuse(const http::Refusal&, const http::FieldView&, http::Response&) override {}

 private:
  const std::function<std::string()> page_;
};

}  // namespace

class MetricsServer::Impl {
 public:
  Impl(const Address& address, std::function<std::string()> page)
      : handler_{std::move(page)},
        server_{{.address = address.host,
                 .port = address.port,
                 .limits = {.connections = kConnections}},
                {&context_},
                handler_} {
    server_.start();
    thread_ = std::jthread{[this] { context_.run(); }};
  }
  ~Impl() {
    server_.drain(kDrainTime);
    context_.stop();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::uint16_t port() const { return server_.port(); }

 private:
  boost::asio::io_context context_{1};
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  MetricsHandler handler_;
  http::Server server_;
  std::jthread thread_;
};

MetricsServer::MetricsServer(const Address& address, std::function<std::string()> page)
    : impl_{std::make_unique<Impl>(address, std::move(page))} {}
MetricsServer::~MetricsServer() = default;

std::uint16_t MetricsServer::port() const {
  return impl_->port();
}

}  // namespace um
