#include "drivers/http/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>

namespace um::http {
namespace {

bool is_shortage(const boost::system::error_code& error) {
  return error == boost::system::errc::too_many_files_open ||
         error == boost::system::errc::too_many_files_open_in_system ||
         error == boost::system::errc::no_buffer_space ||
         error == boost::system::errc::not_enough_memory;
}

std::string address_of(const boost::asio::ip::tcp::endpoint& peer) {
  const boost::asio::ip::address address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
        .to_string();
  }
  return address.to_string();
}

}  // namespace

Listener::Listener(std::shared_ptr<Loop> loop, Acceptor acceptor)
    : loop_{std::move(loop)},
      acceptor_{std::move(acceptor)},
      timer_{loop_->context()},
      reserve_{::open("/dev/null", O_RDONLY | O_CLOEXEC)} {}

Listener::~Listener() {
  if (reserve_ >= 0) ::close(reserve_);
}

void Listener::start() {
  accept();
}

void Listener::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  timer_.cancel();
}

void Listener::accept() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_accept(
      [self = shared_from_this()](const boost::system::error_code& error, Socket socket) {
        self->on_accept(error, std::move(socket));
      });
}

void Listener::on_accept(const boost::system::error_code& error, Socket socket) {
  if (!acceptor_.is_open()) return;
  if (is_shortage(error)) {
    shed();
    return pause();
  }
  if (!error) {
    short_ = false;
    take(std::move(socket));
  }
  accept();
}

void Listener::take(Socket socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  socket.set_option(boost::asio::ip::tcp::no_delay{true}, error);
  const Admission admission = loop_->admit();
  const bool secure = loop_->options().tls != nullptr;
  // A TLS handshake only to refuse the client would cost more than it helps.
  if (admission == Admission::refuse && (secure || !loop_->may_refuse_politely())) return;
  Accepted accepted{
      .socket = std::move(socket), .peer_address = address_of(peer), .admission = admission};
  make_connection(loop_, std::move(accepted))->start();
}

void Listener::shed() {
  if (reserve_ < 0) return;
  ::close(reserve_);
  boost::system::error_code error;
  acceptor_.non_blocking(true, error);
  for (int i = 0; i < kShedAtOnce; ++i) {
    Socket socket{loop_->executor()};
    acceptor_.accept(socket, error);
    if (error) break;
    drop(std::move(socket));
  }
  reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

// Answers 503, as far as one write and one read without waiting can.
void Listener::drop(Socket socket) {
  loop_->count_refused_connection();
  if (loop_->options().tls) return;
  Response response;
  loop_->refuse({.reason = Refusal::Reason::overloaded, .detail = "Too many connections."}, {},
                response);
  Output output;
  output.append(response, {.date_line = loop_->date_line(BootClock::now()),
                           .body = BodyWish::send,
                           .connection = ConnectionField::close});
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(output.buffers(), ignored);
  socket.shutdown(boost::asio::socket_base::shutdown_send, ignored);
  std::array<char, 4096> dropped;
  socket.read_some(boost::asio::buffer(dropped), ignored);
}

void Listener::pause() {
  if (!short_) loop_->report("out of file descriptors or memory: clients are turned away");
  short_ = true;
  timer_.expires_after(kPause);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->accept();
  });
}

namespace {

// SO_REUSEPORT, for which Asio has no name. The members are what Asio requires of a socket option.
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

boost::asio::ip::tcp::endpoint endpoint_of(const ServerOptions& options) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(options.address, error);
  if (error) throw_cannot_listen(options, std::make_error_code(std::errc::invalid_argument));
  return {address, options.port};
}

}  // namespace

std::vector<Acceptor> open_acceptors(const std::vector<boost::asio::io_context*>& contexts,
                                     const ServerOptions& options) {
  boost::asio::ip::tcp::endpoint endpoint = endpoint_of(options);
  try {
    // With SO_REUSEPORT a second process could bind as well and would silently take a part of the
    // clients. This socket binds without it, so bind() fails if another process listens here. It
    // also finds a free port and reserves it until the other sockets are bound; it never listens.
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
