// MetricsServer: answers GET /metrics on a thread of its own, for as long as it lives.
//
// Thread safety: none. The constructor throws std::system_error if the address cannot be used.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace um {

class MetricsServer {
 public:
  struct Address {
    std::string host;
    std::uint16_t port = 0;  // 0: any free one
  };
  // `page` is called on the server's thread.
  MetricsServer(const Address& address, std::function<std::string()> page);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  std::uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace um
