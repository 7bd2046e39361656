// Opening the listening sockets.
#include <sys/socket.h>

#include "drivers/http/listener.hpp"

namespace um::http {
namespace {

using boost::asio::ip::tcp;
// SO_REUSEPORT, for which Asio has no name; the members are what it asks of a socket option.
class ReusePort {
 public:
  template <class Protocol>
  int level(const Protocol&) const {
    return SOL_SOCKET;
  }
  template <class Protocol>
  int name(const Protocol&) const {
    return SO_REUSEPORT;
  }
  template <class Protocol>
  const void* data(const Protocol&) const {
    return &on_;
  }
  template <class Protocol>
  std::size_t size(const Protocol&) const {
    return sizeof on_;
  }

 private:
  int on_ = 1;
};

[[noreturn]] void throw_cannot_listen(const ServerOptions& options, const std::error_code& error) {
  throw std::system_error{
      error, "cannot listen on " + options.address + " port " + std::to_string(options.port)};
}

tcp::endpoint endpoint_of(const ServerOptions& options) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(options.address, error);
  if (error) throw_cannot_listen(options, std::make_error_code(std::errc::invalid_argument));
  return {address, options.port};
}

}  // namespace

std::vector<Acceptor> open_acceptors(const std::vector<boost::asio::io_context*>& contexts,
                                     const ServerOptions& options) {
  tcp::endpoint endpoint = endpoint_of(options);
  try {
    // With SO_REUSEPORT a second process would bind as well and silently take a part of the
    // clients. This one binds without it, so it fails if anyone listens here; it also finds a free
    // port, and holds it until the others have it (it never listens, so it is not in their way).
    Acceptor probe{*contexts.front()};
    probe.open(endpoint.protocol());
    probe.set_option(boost::asio::socket_base::reuse_address{true});
    probe.bind(endpoint);
    endpoint = probe.local_endpoint();

    std::vector<Acceptor> acceptors;
    for (boost::asio::io_context* context : contexts) {
      Acceptor& acceptor = acceptors.emplace_back(*context);
      acceptor.open(endpoint.protocol());
      acceptor.set_option(boost::asio::socket_base::reuse_address{true});
      acceptor.set_option(ReusePort{});
      acceptor.bind(endpoint);
    }
    for (Acceptor& acceptor : acceptors) acceptor.listen();
    return acceptors;
  } catch (const boost::system::system_error& error) {
    throw_cannot_listen(options, error.code());
  }
}

}  // namespace um::http
