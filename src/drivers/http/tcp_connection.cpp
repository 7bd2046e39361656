#include "drivers/http/socket.hpp"
#include "drivers/http/stream_connection.hpp"

namespace um::http {
namespace {

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
    // One buffer is the usual case, and has the cheaper system call.
    if (buffers.size() == 1) return stream.write_some(buffers.front(), error);
    return stream.write_some(buffers, error);
  }
  template <class Done>
  static void end_of_sending(Stream&, Done done) {
    done({});
  }
};

}  // namespace

ConnectionPtr make_tcp_connection(std::shared_ptr<Loop> loop, Accepted accepted) {
  Connection::ErrorCode ignored;
  accepted.socket.non_blocking(true, ignored);
  return ConnectionPtr{new StreamConnection<TcpIo>{std::move(loop), std::move(accepted.socket),
                                                   std::move(accepted.peer_address),
                                                   accepted.admission}};
}

}  // namespace um::http
