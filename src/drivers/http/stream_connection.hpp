// StreamConnection: the I/O of a connection over plain TCP or TLS. Included by the two files that
// instantiate it only, because the streams are slow to compile.
//
// Thread safety: the thread of its loop only, as connection.hpp says; handlers of operations hold a
// reference, so it outlives them.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>

#include "drivers/http/connection.hpp"
#include "drivers/http/loop.hpp"
#include "drivers/http/socket.hpp"

namespace um::http {

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

}  // namespace um::http
