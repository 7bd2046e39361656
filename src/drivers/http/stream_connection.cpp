#include "drivers/http/stream_connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "drivers/http/loop.hpp"

namespace um::http {
namespace {

// The I/O of a connection. Thread safety: the thread of its loop only, as connection.hpp says; the
// handlers of operations hold a reference, so the connection outlives them.
// `Io` knows the stream: Stream, kSecure, socket_of(stream), handshake, write_now and
// end_of_sending.
template <class Io>
class StreamConnection final : public Connection {
 public:
  StreamConnection(std::shared_ptr<Loop> loop, typename Io::Stream stream, std::string address,
                   Admission admission)
      : Connection{std::move(loop),
                   {.address = std::move(address), .secure = Io::kSecure},
                   admission},
        stream_{std::move(stream)} {}

 private:
  using Self = boost::intrusive_ptr<StreamConnection>;

  void begin_handshake() override {
    Io::handshake(stream_, [self = Self{this}](ErrorCode error) { self->on_handshake(error); });
  }
  void begin_read(std::span<char> into) override {
    stream_.async_read_some(
        boost::asio::buffer(into.data(), into.size()),
        [self = Self{this}](ErrorCode error, std::size_t bytes) { self->on_read(error, bytes); });
  }
  void begin_write(Buffers buffers) override {
    stream_.async_write_some(buffers, [self = Self{this}](ErrorCode error, std::size_t bytes) {
      self->on_written(error, bytes);
    });
  }
  void begin_end_of_sending() override {
    Io::end_of_sending(stream_, [self = Self{this}](ErrorCode) {
      ErrorCode ignored;
      self->socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
      self->on_sending_ended();
    });
  }
  void begin_discard(std::span<char> into) override {
    socket().async_read_some(boost::asio::buffer(into.data(), into.size()),
                             [self = Self{this}](ErrorCode error, std::size_t bytes) {
                               self->on_discarded(error, bytes);
                             });
  }
  std::size_t write_now(Buffers buffers, ErrorCode& error) override {
    return Io::write_now(stream_, buffers, error);
  }
  bool peer_is_gone() override {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket().native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
      return true;
    return info.tcpi_state != TCP_ESTABLISHED;
  }
  bool has_unread() override {
    ErrorCode error;
    return socket().available(error) > 0 && !error;
  }
  void cancel() override {
    ErrorCode ignored;
    socket().cancel(ignored);
  }
  void close_socket() override {
    ErrorCode ignored;
    socket().close(ignored);
  }
  Socket& socket() { return Io::socket_of(stream_); }

  typename Io::Stream stream_;
};

struct TcpIo {
  using Stream = Socket;
  static constexpr bool kSecure = false;

  static Socket& socket_of(Stream& stream) { return stream; }
  template <class Done>
  static void handshake(Stream&, Done done) {
    done({});
  }
  static std::size_t write_now(Stream& stream, Connection::Buffers buffers,
                               Connection::ErrorCode& error) {
    // One buffer is the usual case and needs the cheaper system call.
    if (buffers.size() == 1) return stream.write_some(buffers.front(), error);
    return stream.write_some(buffers, error);
  }
  template <class Done>
  static void end_of_sending(Stream&, Done done) {
    done({});
  }
};

struct TlsIo {
  using Stream = boost::asio::ssl::stream<Socket>;
  static constexpr bool kSecure = true;

  static Socket& socket_of(Stream& stream) { return stream.next_layer(); }
  template <class Done>
  static void handshake(Stream& stream, Done done) {
    stream.async_handshake(boost::asio::ssl::stream_base::server, std::move(done));
  }
  // Only asynchronous writes make and send records: a synchronous write that blocks would lose
  // bytes.
  static std::size_t write_now(Stream&, Connection::Buffers, Connection::ErrorCode& error) {
    error = boost::asio::error::would_block;
    return 0;
  }
  // Sends close_notify; done when the client has answered it or sent something else.
  template <class Done>
  static void end_of_sending(Stream& stream, Done done) {
    stream.async_shutdown(std::move(done));
  }
};

}  // namespace

ConnectionPtr make_connection(std::shared_ptr<Loop> loop, Accepted accepted) {
  if (loop->options().tls) {
    TlsIo::Stream stream{std::move(accepted.socket), *loop->options().tls};
    return ConnectionPtr{new StreamConnection<TlsIo>{
        std::move(loop), std::move(stream), std::move(accepted.peer_address), accepted.admission}};
  }
  Connection::ErrorCode ignored;
  accepted.socket.non_blocking(true, ignored);
  return ConnectionPtr{new StreamConnection<TcpIo>{std::move(loop), std::move(accepted.socket),
                                                   std::move(accepted.peer_address),
                                                   accepted.admission}};
}

}  // namespace um::http
