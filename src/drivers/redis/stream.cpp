#include "drivers/redis/stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace um::redis {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Problem = Stream::Problem;

std::unexpected<Problem> problem(Breakage breakage, const error_code& error) {
  return std::unexpected{Problem{.breakage = breakage, .message = printable(error.message())}};
}

Breakage while_connected(const error_code& error) {
  return error.category() == asio::error::get_ssl_category() ? Breakage::tls : Breakage::closed;
}

// The part that both streams share: resolving and connecting.
class Connecting {
 public:
  explicit Connecting(asio::io_context& loop) : resolver_{loop} {}

  Task<std::expected<void, Problem>> connect(tcp::socket& socket, const Endpoint& endpoint) {
    error_code error;
    const std::string service = std::to_string(endpoint.port);
    tcp::resolver::results_type addresses;
    const asio::ip::address literal = asio::ip::make_address(endpoint.host, error);
    if (!error) {
      const tcp::endpoint only{literal, endpoint.port};
      addresses = tcp::resolver::results_type::create(only, endpoint.host, service);
    } else {
      addresses = co_await resolver_.async_resolve(
          endpoint.host, service, asio::redirect_error(asio::use_awaitable, error));
    }
    if (closed_) co_return problem(Breakage::timeout, asio::error::timed_out);
    if (error) co_return problem(Breakage::resolve, error);
    co_await asio::async_connect(socket, addresses,
                                 asio::redirect_error(asio::use_awaitable, error));
    if (closed_) co_return problem(Breakage::timeout, asio::error::timed_out);
    if (error) co_return problem(Breakage::connect, error);
    // Commands are small, and a caller waits for each.
    socket.set_option(tcp::no_delay{true}, error);
    socket.set_option(asio::socket_base::keep_alive{true}, error);
    co_return std::expected<void, Problem>{};
  }

  void close(tcp::socket& socket) {
    closed_ = true;
    resolver_.cancel();
    error_code ignored;
    socket.close(ignored);
  }

 private:
  tcp::resolver resolver_;
  bool closed_ = false;
};

template <class Layer>
Task<std::expected<std::size_t, Problem>> read_some_of(Layer& layer, std::span<char> into) {
  error_code error;
  const std::size_t size = co_await layer.async_read_some(
      asio::buffer(into.data(), into.size()), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return problem(while_connected(error), error);
  co_return size;
}

template <class Layer>
Task<std::expected<void, Problem>> write_to(Layer& layer, const std::string& bytes) {
  error_code error;
  co_await asio::async_write(layer, asio::buffer(bytes),
                             asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return problem(while_connected(error), error);
  co_return std::expected<void, Problem>{};
}

class PlainStream final : public Stream {
 public:
  explicit PlainStream(asio::io_context& loop) : connecting_{loop}, socket_{loop} {}

  Task<std::expected<void, Problem>> open(const Endpoint& endpoint) override {
    return connecting_.connect(socket_, endpoint);
  }
  Task<std::expected<std::size_t, Problem>> read_some(std::span<char> into) override {
    return read_some_of(socket_, into);
  }
  Task<std::expected<void, Problem>> write(const std::string& bytes) override {
    return write_to(socket_, bytes);
  }
  void close() override { connecting_.close(socket_); }

 private:
  Connecting connecting_;
  tcp::socket socket_;
};

class TlsStream final : public Stream {
 public:
  TlsStream(asio::io_context& loop, TlsContext tls)
      : tls_{std::move(tls)}, connecting_{loop}, stream_{loop, *tls_} {}

  Task<std::expected<void, Problem>> open(const Endpoint& endpoint) override {
    std::expected<void, Problem> connected =
        co_await connecting_.connect(stream_.next_layer(), endpoint);
    if (!connected) co_return connected;
    error_code error;
    stream_.set_verify_callback(asio::ssl::host_name_verification{endpoint.host}, error);
    if (error) co_return problem(Breakage::tls, error);
    asio::ip::make_address(endpoint.host, error);
    if (error && !name_server(endpoint.host)) co_return problem(Breakage::tls, error);
    error = {};
    co_await stream_.async_handshake(asio::ssl::stream_base::client,
                                     asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return problem(Breakage::tls, error);
    co_return std::expected<void, Problem>{};
  }
  Task<std::expected<std::size_t, Problem>> read_some(std::span<char> into) override {
    return read_some_of(stream_, into);
  }
  Task<std::expected<void, Problem>> write(const std::string& bytes) override {
    return write_to(stream_, bytes);
  }
  // Without a TLS shutdown: no reply is of use any more.
  void close() override { connecting_.close(stream_.next_layer()); }

 private:
  // RFC 6066, section 3: names only, no addresses. The code of the macro, without its cast.
  bool name_server(std::string host) {
    return ::SSL_ctrl(stream_.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
                      TLSEXT_NAMETYPE_host_name, host.data()) == 1;
  }

  const TlsContext tls_;
  Connecting connecting_;
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

Result<TlsContext> make_client_tls_context(const Endpoint& endpoint) {
  if (endpoint.transport == Transport::plain) return TlsContext{};
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  error_code error;
  context->set_verify_mode(asio::ssl::verify_peer, error);
  if (::SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION) != 1)
    return fail(ErrorCode::invalid, "cannot set up TLS");
  if (!error) {
    if (endpoint.ca_file.empty()) {
      context->set_default_verify_paths(error);
    } else {
      context->load_verify_file(endpoint.ca_file, error);
    }
  }
  if (error) {
    const std::string what =
        endpoint.ca_file.empty() ? "the system's certificates" : endpoint.ca_file;
    return fail(ErrorCode::invalid, "cannot use " + what + ": " + error.message());
  }
  return context;
}

std::unique_ptr<Stream> make_stream(asio::io_context& loop, TlsContext tls) {
  if (tls) return std::make_unique<TlsStream>(loop, std::move(tls));
  return std::make_unique<PlainStream>(loop);
}

}  // namespace um::redis
