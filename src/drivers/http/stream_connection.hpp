// The socket types of the server, and how an accepted socket becomes a connection over plain TCP or
// TLS.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "drivers/http/connection.hpp"

namespace um::http {

// Bound to the io_context's own executor instead of any_io_executor: cheaper per operation.
using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                    boost::asio::io_context::executor_type>;

struct Accepted {
  Socket socket;
  std::string peer_address;
  Admission admission = Admission::serve;
};
// Over TLS if the options of the server have a TLS context.
ConnectionPtr make_connection(std::shared_ptr<Loop> loop, Accepted accepted);

}  // namespace um::http
