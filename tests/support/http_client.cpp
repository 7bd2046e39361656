#include "support/http_client.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <span>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include <openssl/ssl.h>

namespace um::e2e {
namespace {

[[noreturn]] void broken(const std::string& what) {
  throw std::runtime_error("HTTP client: " + what);
}

sockaddr_in address_of(const std::string& text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) broken("bad address " + text);
  return address;
}

std::size_t parse_size(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) {
    broken("not a length: " + std::string{text});
  }
  return value;
}

}  // namespace

// A non-blocking socket with or without TLS; both wait with poll(2) until the deadline.
class HttpConnection::Transport {
 public:
  explicit Transport(const Endpoint& endpoint) {
    // If a constructor throws, the destructor does not run.
    try {
      connect(endpoint);
      if (endpoint.tls) start_tls();
    } catch (...) {
      release();
      throw;
    }
  }
  ~Transport() { release(); }
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // The number of bytes; 0 at the end of the stream, -1 if the connection was reset.
  ssize_t read(std::span<char> into, Steady::time_point deadline) {
    while (true) {
      ssize_t count = 0;
      short wanted = POLLIN;
      if (ssl_ != nullptr) {
        count = ::SSL_read(ssl_, into.data(), static_cast<int>(into.size()));
        if (count <= 0 && !tls_wants(static_cast<int>(count), wanted)) return 0;
      } else {
        count = ::recv(fd_, into.data(), into.size(), 0);
        if (count == 0) return 0;
        if (count < 0 && errno != EAGAIN && errno != EINTR) return -1;
      }
      if (count > 0) return count;
      wait(wanted, deadline);
    }
  }

  bool write(std::string_view bytes, Steady::time_point deadline) {
    while (!bytes.empty()) {
      ssize_t count = 0;
      short wanted = POLLOUT;
      if (ssl_ != nullptr) {
        count = ::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
        if (count <= 0 && !tls_wants(static_cast<int>(count), wanted)) return false;
      } else {
        count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
      }
      if (count > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else {
        wait(wanted, deadline);
      }
    }
    return true;
  }

  void finish_writing() { ::shutdown(fd_, SHUT_WR); }

 private:
  void connect(const Endpoint& endpoint) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "socket");
    if (!endpoint.source.empty()) {
      const sockaddr_in own = address_of(endpoint.source, 0);
      if (::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
        throw std::system_error(errno, std::generic_category(), "bind to " + endpoint.source);
      }
    }
    const sockaddr_in peer = address_of("127.0.0.1", endpoint.port);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) {
      throw std::system_error(errno, std::generic_category(), "connect");
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  }

  void start_tls() {
    context_ = ::SSL_CTX_new(::TLS_client_method());
    ssl_ = ::SSL_new(context_);
    ::SSL_set_fd(ssl_, fd_);
    const auto deadline = patience();
    while (true) {
      const int result = ::SSL_connect(ssl_);
      if (result == 1) return;
      short wanted = POLLIN;
      if (!tls_wants(result, wanted)) broken("the TLS handshake failed");
      wait(wanted, deadline);
    }
  }

  bool tls_wants(int result, short& wanted) const {
    const int reason = ::SSL_get_error(ssl_, result);
    if (reason == SSL_ERROR_WANT_READ) wanted = POLLIN;
    if (reason == SSL_ERROR_WANT_WRITE) wanted = POLLOUT;
    return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
  }

  void wait(short events, Steady::time_point deadline) const {
    pollfd entry{.fd = fd_, .events = events, .revents = 0};
    if (::poll(&entry, 1, milliseconds_until(deadline)) == 0)
      broken("no progress before the deadline");
  }

  void release() {
    if (ssl_ != nullptr) ::SSL_free(ssl_);
    if (context_ != nullptr) ::SSL_CTX_free(context_);
    if (fd_ >= 0) ::close(fd_);
  }

  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
};

HttpConnection::HttpConnection(Endpoint endpoint)
    : transport_{std::make_unique<Transport>(endpoint)} {}
HttpConnection::~HttpConnection() = default;
HttpConnection::HttpConnection(HttpConnection&&) noexcept = default;
HttpConnection& HttpConnection::operator=(HttpConnection&&) noexcept = default;

bool HttpConnection::write(std::string_view bytes, Steady::time_point deadline) {
  return transport_->write(bytes, deadline);
}

void HttpConnection::finish_writing() {
  transport_->finish_writing();
}

bool HttpConnection::fill(Steady::time_point deadline) {
  std::array<char, 16 * 1024> buffer{};
  const ssize_t count = transport_->read(buffer, deadline);
  reset_ = count < 0;
  if (count <= 0) return false;
  pending_.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

std::string HttpConnection::take_line(Steady::time_point deadline) {
  std::size_t end = 0;
  while ((end = pending_.find("\r\n")) == std::string::npos) {
    if (!fill(deadline)) broken("the connection ended inside a line");
  }
  std::string line = pending_.substr(0, end);
  pending_.erase(0, end + 2);
  return line;
}

std::string HttpConnection::take_bytes(std::size_t count, Steady::time_point deadline) {
  while (pending_.size() < count) {
    if (!fill(deadline)) broken("the connection ended inside a body");
  }
  std::string bytes = pending_.substr(0, count);
  pending_.erase(0, count);
  return bytes;
}

std::string HttpConnection::read_chunked(Steady::time_point deadline) {
  std::string body;
  while (true) {
    const std::size_t size = parse_size(take_line(deadline), 16);
    if (size == 0) break;
    body += take_bytes(size, deadline);
    if (!take_line(deadline).empty()) broken("a chunk does not end where it should");
  }
  if (!take_line(deadline).empty()) broken("trailers were not expected");
  return body;
}

std::optional<HttpResponse> HttpConnection::read_response(Body body, Steady::time_point deadline) {
  std::size_t end = 0;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (fill(deadline)) continue;
    if (pending_.empty()) return std::nullopt;
    broken("the connection ended inside a response head: " + pending_);
  }
  HttpResponse response = parse_response_head(std::string_view{pending_}.substr(0, end));
  pending_.erase(0, end + 4);
  const auto length = response.header("Content-Length");
  const auto coding = response.header("Transfer-Encoding");
  if (length && coding) broken("both Content-Length and Transfer-Encoding");
  if (response.header_count("Content-Length") > 1) broken("Content-Length twice");
  const bool empty = body == Body::none || response.status < 200 || response.status == 204 ||
                     response.status == 304;
  if (empty) return response;
  if (coding) {
    response.body = read_chunked(deadline);
  } else if (length) {
    response.body = take_bytes(parse_size(*length, 10), deadline);
  } else {
    response.body = read_to_end(deadline);
  }
  return response;
}

std::string HttpConnection::read_to_end(Steady::time_point deadline) {
  while (fill(deadline)) {
  }
  return std::exchange(pending_, {});
}

std::string HttpConnection::head_text() {
  std::size_t end = 0;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(patience())) return rest_text();
  }
  std::string head = pending_.substr(0, end + 4);
  pending_.erase(0, end + 4);
  return head;
}

std::string HttpConnection::answer_text() {
  std::string text = head_text();
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t at = text.find(kLength);
  if (at == std::string::npos) return text;
  const std::size_t begin = at + kLength.size();
  const std::string_view digits =
      std::string_view{text}.substr(begin, text.find('\r', begin) - begin);
  const std::size_t size = parse_size(digits, 10);
  while (pending_.size() < size) {
    if (!fill(patience())) return text + rest_text();
  }
  text += pending_.substr(0, size);
  pending_.erase(0, size);
  return text;
}

std::string HttpConnection::rest_text() {
  while (fill(patience())) {
  }
  return std::exchange(pending_, {}) + (reset_ ? "(reset)" : "");
}

HttpResponse HttpConnection::exchange(const HttpRequest& request) {
  write(request.text());
  auto response = read_response(request.method == "HEAD" ? Body::none : Body::as_framed);
  if (!response) broken("the connection was closed without an answer");
  return *std::move(response);
}

HttpResponse HttpClient::send(const HttpRequest& request) {
  if (!connection_) connection_.emplace(endpoint_);
  try {
    HttpResponse response = connection_->exchange(request);
    if (response.closes()) connection_.reset();
    return response;
  } catch (...) {
    connection_.reset();
    throw;
  }
}

}  // namespace um::e2e
