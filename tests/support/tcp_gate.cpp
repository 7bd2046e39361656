#include "support/tcp_gate.hpp"

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace um::test {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int tcp_socket() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw std::runtime_error("socket");
  return socket;
}

void send_at_once(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

TcpGate::TcpGate(int server_port) : server_port_{server_port}, listener_{tcp_socket()} {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0 || ::pipe(wake_) != 0) {
    throw std::runtime_error("no gate");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { run(); }};
}

TcpGate::~TcpGate() {
  {
    const std::scoped_lock lock{mutex_};
    stop_ = true;
  }
  wake();
  thread_.join();
  for (Link& link : links_) close(link);
  for (const int descriptor : {listener_, wake_[0], wake_[1]}) ::close(descriptor);
}

void TcpGate::cut() {
  const std::scoped_lock lock{mutex_};
  for (Link& link : links_) {
    // The thread that may be waiting for them closes them.
    ::shutdown(link.client, SHUT_RDWR);
    ::shutdown(link.server, SHUT_RDWR);
  }
}

void TcpGate::swallow_answers() {
  const std::scoped_lock lock{mutex_};
  for (Link& link : links_) link.swallow = true;
}

void TcpGate::wake() const {
  if (::write(wake_[1], "", 1) < 0) throw std::runtime_error("no gate");
}

void TcpGate::close(Link& link) {
  if (link.closed) return;
  link.closed = true;
  ::close(link.client);
  ::close(link.server);
}

void TcpGate::take_connection() {
  Link link{.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), .server = tcp_socket()};
  const sockaddr_in address = loopback(server_port_);
  send_at_once(link.client);
  send_at_once(link.server);
  if (::connect(link.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return close(link);
  }
  links_.push_back(link);
}

bool TcpGate::pass(int from, int to) const {
  std::array<char, 65'536> bytes;
  const ssize_t got = ::recv(from, bytes.data(), bytes.size(), 0);
  if (got <= 0) return false;
  return ::send(to, bytes.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
}

void TcpGate::run() {
  for (;;) {
    std::vector<pollfd> waiting{{.fd = listener_, .events = POLLIN, .revents = 0},
                                {.fd = wake_[0], .events = POLLIN, .revents = 0}};
    std::vector<Link*> links;
    {
      const std::scoped_lock lock{mutex_};
      if (stop_) return;
      links_.remove_if([](const Link& link) { return link.closed; });
      for (Link& link : links_) {
        links.push_back(&link);
        waiting.push_back({.fd = link.client, .events = POLLIN, .revents = 0});
        waiting.push_back({.fd = link.server, .events = POLLIN, .revents = 0});
      }
    }
    ::poll(waiting.data(), waiting.size(), -1);
    const std::scoped_lock lock{mutex_};
    for (std::size_t i = 0; i < links.size(); ++i) {
      Link& link = *links[i];
      bool alive = true;
      if (waiting[2 * i + 2].revents != 0) alive = pass(link.client, link.server);
      if (alive && waiting[2 * i + 3].revents != 0) {
        alive = !link.swallow && pass(link.server, link.client);
      }
      if (!alive) close(link);
    }
    if (waiting[0].revents != 0) take_connection();
  }
}

}  // namespace um::test
