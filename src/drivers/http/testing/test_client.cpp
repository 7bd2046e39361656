#include "drivers/http/testing/test_client.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace um::http::testing {

TestClient::TestClient(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
  constexpr timeval kWait{.tv_sec = 20, .tv_usec = 0};
  constexpr int kYes = 1;
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kWait, sizeof kWait);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &kWait, sizeof kWait);
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &kYes, sizeof kYes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error{"cannot connect"};
  }
}

TestClient::TestClient(TestClient&& other) noexcept
    : socket_{std::exchange(other.socket_, -1)}, buffer_{std::move(other.buffer_)} {}

TestClient::~TestClient() {
  if (socket_ >= 0) ::close(socket_);
}

bool TestClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void TestClient::end_sending() {
  ::shutdown(socket_, SHUT_WR);
}

bool TestClient::receive() {
  std::array<char, 16'384> bytes;
  const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (got < 0) failure_ = errno == ECONNRESET ? "(reset)" : "(timeout)";
  if (got <= 0) return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

std::string TestClient::head() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive()) return std::exchange(buffer_, {}) + failure_;
  }
  std::string head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  return head;
}

std::string TestClient::answer() {
  std::string text = head();
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t at = text.find(kLength);
  if (at == std::string::npos) return text;
  std::size_t size = 0;
  std::from_chars(text.data() + at + kLength.size(), text.data() + text.size(), size);
  while (buffer_.size() < size && receive()) {
  }
  text += buffer_.substr(0, size) + failure_;
  buffer_.erase(0, size);
  return text;
}

std::string TestClient::rest() {
  while (receive()) {
  }
  return std::exchange(buffer_, {}) + std::exchange(failure_, {});
}

}  // namespace um::http::testing
