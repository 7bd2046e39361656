#include "support/fake_redis.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace um::test {
namespace {

void must(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

bool FakeRedis::Peer::more() {
  char bytes[4096];
  const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  input_.append(bytes, static_cast<std::size_t>(size));
  return true;
}

std::optional<std::string> FakeRedis::Peer::line() {
  std::size_t end = 0;
  while ((end = input_.find("\r\n")) == std::string::npos) {
    if (!more()) return std::nullopt;
  }
  std::string text = input_.substr(0, end);
  input_.erase(0, end + 2);
  return text;
}

std::optional<std::string> FakeRedis::Peer::exactly(std::size_t bytes) {
  while (input_.size() < bytes) {
    if (!more()) return std::nullopt;
  }
  std::string text = input_.substr(0, bytes);
  input_.erase(0, bytes);
  return text;
}

std::optional<std::vector<std::string>> FakeRedis::Peer::command() {
  const auto header = line();
  if (!header || !header->starts_with('*')) return std::nullopt;
  std::vector<std::string> words;
  for (int left = std::stoi(header->substr(1)); left > 0; --left) {
    const auto size = line();
    if (!size) return std::nullopt;
    auto word = exactly(std::stoul(size->substr(1)));
    if (!word || !exactly(2)) return std::nullopt;
    words.push_back(std::move(*word));
  }
  return words;
}

bool FakeRedis::Peer::say(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

void FakeRedis::Peer::wait_for_close() {
  while (more()) input_.clear();
}

FakeRedis::FakeRedis(Handle handle) : handle_{std::move(handle)} {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(listener_ >= 0, "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  must(::bind(listener_, raw, sizeof address) == 0, "bind");
  must(::listen(listener_, 64) == 0, "listen");
  socklen_t size = sizeof address;
  must(::getsockname(listener_, raw, &size) == 0, "getsockname");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

FakeRedis::~FakeRedis() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& peer : peers_) peer.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
}

void FakeRedis::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::lock_guard lock{mutex_};
    sockets_.push_back(socket);
    if (stopping_) return;
    ++connections_;
    peers_.emplace_back([this, socket] {
      Peer peer{socket};
      handle_(peer);
      ::shutdown(socket, SHUT_RDWR);
    });
  }
}

bool FakeRedis::greet(Peer& peer) {
  for (;;) {
    const auto words = peer.command();
    if (!words) return false;
    const bool last = words->front() == "PING";
    if (!peer.say(last ? "+PONG\r\n" : "+OK\r\n")) return false;
    if (last) return true;
  }
}

FakeRedis::Handle FakeRedis::greeting_then(
    std::function<std::string(const std::vector<std::string>&)> answer) {
  return [answer = std::move(answer)](Peer& peer) {
    if (!greet(peer)) return;
    while (const auto words = peer.command()) {
      if (!peer.say(answer(*words))) return;
    }
  };
}

}  // namespace um::test
