// Stream: a TCP connection to a server, with or without TLS, as coroutines of one event loop.
//
// Thread safety: none; all calls on the thread of the loop. One read and one write may be under way
// at the same time. close() ends both with an error.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "async/task.hpp"
#include "base/error.hpp"
#include "drivers/redis/reply.hpp"
#include "drivers/redis/url.hpp"

namespace boost::asio {
class io_context;
}
namespace boost::asio::ssl {
class context;
}

namespace um::redis {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// The certificates to trust; null for a plain endpoint. ErrorCode::invalid: the CA file cannot be
// used.
Result<TlsContext> make_client_tls_context(const Endpoint& endpoint);

class Stream {
 public:
  struct Problem {
    Breakage breakage;
    std::string message;
  };

  virtual ~Stream() = default;
  // Resolves, connects, shakes hands. `endpoint` outlives the call.
  virtual Task<std::expected<void, Problem>> open(const Endpoint& endpoint) = 0;
  virtual Task<std::expected<std::size_t, Problem>> read_some(std::span<char> into) = 0;
  virtual Task<std::expected<void, Problem>> write(const std::string& bytes) = 0;
  virtual void close() = 0;
};

// Without TLS if `tls` is null.
std::unique_ptr<Stream> make_stream(boost::asio::io_context& loop, TlsContext tls);

}  // namespace um::redis
