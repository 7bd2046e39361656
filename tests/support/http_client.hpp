// HttpConnection: one blocking HTTP/1.1 connection with deadlines, and the raw socket under it.
// HttpClient: requests over a connection that is kept alive, and replaced after it was closed.
//
// Behaviour that a broken server would show as well (no answer in time, a malformed one, a reset)
// throws std::runtime_error, but for the functions that return text. Thread safety: one thread at a
// time; one thread may write while another reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "support/http_message.hpp"
#include "support/patience.hpp"

namespace um::e2e {

struct Endpoint {
  std::uint16_t port = 0;
  bool tls = false;      // any certificate is accepted
  std::string source{};  // own address, e.g. 127.0.0.7; empty: the system's choice
};

class HttpConnection {
 public:
  explicit HttpConnection(Endpoint endpoint);
  ~HttpConnection();
  HttpConnection(HttpConnection&&) noexcept;
  HttpConnection& operator=(HttpConnection&&) noexcept;

  // False if the peer closed before it took everything.
  bool write(std::string_view bytes, Steady::time_point deadline = patience());
  // No more bytes follow from this side.
  void finish_writing();

  // nullopt: the peer closed the connection properly before the first byte of a response.
  // A HEAD answer has no body whatever its Content-Length says.
  enum class Body { as_framed, none };
  std::optional<HttpResponse> read_response(Body body = Body::as_framed,
                                            Steady::time_point deadline = patience());
  // Everything until the peer closes. Throws at the deadline, not on a reset.
  std::string read_to_end(Steady::time_point deadline = patience());

  HttpResponse exchange(const HttpRequest& request);

  // The next answer as it was sent: head and body, as its Content-Length says; or the head alone
  // (of the answer to HEAD, 100 Continue); or everything until the server closes. If the connection
  // ends before, the bytes that have arrived, followed by "(reset)" if it did not end properly.
  std::string answer_text();
  std::string head_text();
  std::string rest_text();

 private:
  class Transport;
  bool fill(Steady::time_point deadline);  // false at the end
  std::string read_chunked(Steady::time_point deadline);
  std::string take_line(Steady::time_point deadline);
  std::string take_bytes(std::size_t count, Steady::time_point deadline);

  std::unique_ptr<Transport> transport_;
  std::string pending_;  // received and not used yet
  bool reset_ = false;   // how the connection ended
};

class HttpClient {
 public:
  explicit HttpClient(Endpoint endpoint) : endpoint_{std::move(endpoint)} {}

  HttpResponse send(const HttpRequest& request);
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  Endpoint endpoint_;
  std::optional<HttpConnection> connection_{};
};

}  // namespace um::e2e
