#include "drivers/http/listener.hpp"

#include <fcntl.h>
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
  // A handshake only to refuse would cost more than it tells.
  if (admission == Admission::refuse && (secure || !loop_->may_refuse_politely())) return;
  Accepted accepted{
      .socket = std::move(socket), .peer_address = address_of(peer), .admission = admission};
  const auto make = secure ? make_tls_connection : make_tcp_connection;
  make(loop_, std::move(accepted))->start();
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

// 503 as far as one write and one read without waiting go.
void Listener::drop(Socket socket) {
  loop_->count_refused_connection();
  if (loop_->options().tls) return;
  Response response;
  loop_->refuse({.refusal = Refusal::overloaded, .detail = "Too many connections."}, response);
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

}  // namespace um::http
