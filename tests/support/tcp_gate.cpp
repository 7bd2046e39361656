#include "support/tcp_gate.hpp"

#include <algorithm>
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

TcpGate::TcpGate(int server_port) : listener_{tcp_socket()}, server_port_{server_port} {
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
    // The thread that may be polling them closes them.
    ::shutdown(link.client, SHUT_RDWR);
    ::shutdown(link.server, SHUT_RDWR);
  }
}

void TcpGate::swallow_answers() {
  const std::scoped_lock lock{mutex_};
  for (Link& link : links_) link.swallow = true;
}

void TcpGate::cut_after(std::size_t bytes) {
  const std::scoped_lock lock{mutex_};
  for (Link& link : links_) link.answers_left = bytes;
}

void TcpGate::black_hole(Lost lost) {
  {
    const std::scoped_lock lock{mutex_};
    requests_lost_ = lost != Lost::answers;
    answers_lost_ = lost != Lost::requests;
  }
  wake();
}

void TcpGate::let_through() {
  {
    const std::scoped_lock lock{mutex_};
    requests_lost_ = false;
    answers_lost_ = false;
  }
  wake();
}

void TcpGate::lead_to(int server_port) {
  const std::scoped_lock lock{mutex_};
  server_port_ = server_port;
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

std::size_t TcpGate::pass(Way way, std::size_t limit) const {
  std::array<char, 65'536> bytes;
  const ssize_t got = ::recv(way.from, bytes.data(), std::min(bytes.size(), limit), 0);
  if (got <= 0) return 0;
  const auto size = static_cast<std::size_t>(got);
  return ::send(way.to, bytes.data(), size, MSG_NOSIGNAL) == got ? size : 0;
}

bool TcpGate::pass_answer(Link& link) const {
  if (link.swallow || link.answers_left == 0) return false;
  const std::size_t passed = pass({.from = link.server, .to = link.client}, link.answers_left);
  if (link.answers_left != SIZE_MAX) link.answers_left -= passed;
  return passed > 0 && link.answers_left > 0;
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
      // poll(2) ignores negative descriptors. A connection needs both ways to be opened.
      if (requests_lost_ || answers_lost_) waiting[0].fd = -1;
      for (Link& link : links_) {
        links.push_back(&link);
        waiting.push_back(
            {.fd = requests_lost_ ? -1 : link.client, .events = POLLIN, .revents = 0});
        waiting.push_back({.fd = answers_lost_ ? -1 : link.server, .events = POLLIN, .revents = 0});
      }
    }
    ::poll(waiting.data(), waiting.size(), -1);
    const std::scoped_lock lock{mutex_};
    if (waiting[1].revents != 0) {
      char woken = 0;
      if (::read(wake_[0], &woken, 1) < 0) return;
      continue;
    }
    for (std::size_t i = 0; i < links.size(); ++i) {
      Link& link = *links[i];
      bool alive = true;
      if (waiting[2 * i + 2].revents != 0)
        alive = pass({.from = link.client, .to = link.server}, SIZE_MAX) > 0;
      if (alive && waiting[2 * i + 3].revents != 0) alive = pass_answer(link);
      if (!alive) close(link);
    }
    if (waiting[0].revents != 0) take_connection();
  }
}

}  // namespace um::test
