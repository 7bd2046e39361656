#include <boost/asio/error.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "drivers/http/socket.hpp"
#include "drivers/http/stream_connection.hpp"

namespace um::http {
namespace {

struct TlsIo {
  using Stream = boost::asio::ssl::stream<Socket>;
  static constexpr bool kSecure = true;

  static Socket& socket_of(Stream& stream) { return stream.next_layer(); }
  template <class Done>
  static void handshake(Stream& stream, Done done) {
    stream.async_handshake(boost::asio::ssl::stream_base::server, std::move(done));
  }
  // Records are made and sent by asynchronous writes only: a blocked synchronous one would lose
  // bytes.
  static std::size_t write_now(Stream&, Connection::Buffers, Connection::ErrorCode& error) {
    error = boost::asio::error::would_block;
    return 0;
  }
  // Sends close_notify; ends when the client has answered it, or sent something else.
  template <class Done>
  static void end_of_sending(Stream& stream, Done done) {
    stream.async_shutdown(std::move(done));
  }
};

}  // namespace

ConnectionPtr make_tls_connection(std::shared_ptr<Loop> loop, Accepted accepted) {
  TlsIo::Stream stream{std::move(accepted.socket), *loop->options().tls};
  return ConnectionPtr{new StreamConnection<TlsIo>{
      std::move(loop), std::move(stream), std::move(accepted.peer_address), accepted.admission}};
}

}  // namespace um::http
