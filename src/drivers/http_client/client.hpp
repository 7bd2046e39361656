// Client: HTTP/1.1 requests to several servers at the same time, on the thread of its owner
// (libcurl).
//
//   client.start(call, [&](const Answer& answer) { … });
//   while (client.under_way() > 0) client.run_until(clock.now() + 1s);
//
// Certificates of HTTPS servers are verified. The client follows no redirects, uses no proxy and
// keeps no cookies. It keeps connections alive, at most kConnectionsPerHost to each server; further
// calls wait for one of them.
//
// Thread safety: none. Calls that are under way when the client ends are given up, unanswered.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace um::http_client {

// Of a write: a connection of its own. libcurl sends a request again, unasked, if a connection that
// was kept alive ends before the answer, and a write would then happen twice.
enum class Connection { shared, own };

struct Call {
  std::string method = "GET";
  std::string url{};
  std::vector<std::string> fields{};  // "Name: value"
  std::string body{};                 // JSON; empty: none
  Connection connection = Connection::shared;
};

struct Answer {
  unsigned status = 0;  // 0: there was no complete answer
  std::string body{};
  bool has_age = false;   // a field Age (RFC 9111)
  std::string error{};    // without an answer: the reason, for people
  bool received = false;  // the server may have received the request
};

class Client {
 public:
  static constexpr long kConnectionsPerHost = 16;

  struct Options {
    std::string ca_file{};  // PEM; empty: the certificates of the system
    // Of a whole call, the wait for a connection included.
    std::chrono::milliseconds call_time{5'000};
    std::size_t max_body_bytes = 4UL * 1024 * 1024;  // a longer answer is an error
  };
  using Done = std::function<void(const Answer&)>;

  explicit Client(Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `done` is called once, from run_until(); it may start further calls.
  void start(Call call, Done done);
  std::size_t under_way() const;
  // Returns after it has called at least one `done`, and at `until` at the latest.
  void run_until(BootTime until);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The URL of a server, without the slash at its end: http or https, host, port, the beginning of a
// path. invalid, with a sentence that shows no user information: anything else.
Result<std::string> parse_base_url(std::string_view text);

// The text with everything but unreserved characters (RFC 3986) as percent escapes.
std::string percent_encode(std::string_view text);

}  // namespace um::http_client
