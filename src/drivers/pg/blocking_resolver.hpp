// BlockingResolver: the addresses of a host name, for a thread that may wait but not for ever.
//
// getaddrinfo() cannot be cut short, so it runs on a thread of Asio's. An answer that comes too
// late is dropped; the destructor waits for it.
//
// Thread safety: one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/deadline.hpp"

namespace um::pg {

class BlockingResolver {
 public:
  explicit BlockingResolver(const Clock& clock);
  ~BlockingResolver();

  // Empty: there are none, or not until the deadline, or `give_up` said so.
  std::vector<std::string> resolve(const std::string& name, Deadline deadline,
                                   const std::function<bool()>& give_up);

 private:
  struct Loop;
  const Clock& clock_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace um::pg
