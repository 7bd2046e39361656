#include "drivers/pg/testing/fake_server.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace um::pg {
namespace {

std::string big_endian(std::uint32_t number, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(number >> (8 * i)));
  return out;
}

std::string zero_ended(std::string text) {
  text.push_back('\0');
  return text;
}

std::string message(char type, const std::string& body) {
  return std::string(1, type) + big_endian(static_cast<std::uint32_t>(body.size() + 4), 4) + body;
}

std::string error(const char* severity, const std::string& sqlstate) {
  std::string body;
  for (const char tag : {'S', 'V'}) body += zero_ended(std::string(1, tag) + severity);
  body += zero_ended("C" + sqlstate) + zero_ended("Mon request");
  return message('E', zero_ended(body));
}

std::string parameter(const std::string& name, const std::string& value) {
  return message('S', zero_ended(name) + zero_ended(value));
}

const std::string kRowDescription =
    message('T', big_endian(1, 2) + zero_ended("c") + big_endian(0, 4) + big_endian(0, 2) +
                     big_endian(25, 4) + big_endian(0xffff, 2) + big_endian(0xffffffff, 4) +
                     big_endian(0, 2));
const std::string kRow = message('D', big_endian(1, 2) + big_endian(1, 4) + "1");

}  // namespace

// One connection and its thread.
struct FakeServer::Peer {
  Peer(FakeServer& owner, int accepted, Behaviour given)
      : server{owner}, socket{accepted}, behaviour{std::move(given)}, thread{[this] { serve(); }} {}
  ~Peer() {
    ::shutdown(socket, SHUT_RDWR);
    thread.join();
    ::close(socket);
  }

  // Thrown to end the connection.
  struct End {};

  std::string read(std::size_t size) const {
    std::string bytes(size, '\0');
    for (std::size_t have = 0; have < size;) {
      const auto got = ::recv(socket, bytes.data() + have, size - have, 0);
      if (got <= 0) throw End{};
      have += static_cast<std::size_t>(got);
    }
    return bytes;
  }
  std::uint32_t read_number() const {
    std::uint32_t number = 0;
    for (const char byte : read(4)) number = number << 8 | static_cast<unsigned char>(byte);
    return number;
  }
  void send(const std::string& bytes) {
    const std::size_t most = std::min(bytes.size(), behaviour.close_after_bytes - sent);
    if (::send(socket, bytes.data(), most, MSG_NOSIGNAL) < 0) throw End{};
    sent += most;
    if (most < bytes.size() || sent == behaviour.close_after_bytes) throw End{};
  }
  [[noreturn]] void hang() const {
    for (;;) (void)read(1);
  }
  // Until end_waiting(), or until the client or the server closes the connection.
  Reaction wait() const {
    pollfd either[2] = {{.fd = socket, .events = POLLRDHUP, .revents = 0},
                        {.fd = server.waiting_over_, .events = POLLIN, .revents = 0}};
    while (::poll(either, 2, -1) < 0) {
    }
    if (either[0].revents != 0) throw End{};
    const std::lock_guard lock{server.mutex_};
    return server.after_waiting_;
  }

  void serve() {
    try {
      start();
      for (;;) {
        const char type = read(1).front();
        take(type, read(read_number() - 4));
      }
    } catch (const End&) {
      ::shutdown(socket, SHUT_RDWR);
    }
    --server.open_;
  }

  void start() {
    for (;;) {
      const std::string packet = read(read_number() - 4);
      constexpr std::string_view kEncryptionRequest{"\x04\xd2\x16", 3};
      if (packet.size() != 4 || packet.substr(0, 3) != kEncryptionRequest) break;
      send("N");
    }
    if (behaviour.silent_start) hang();
    if (!behaviour.startup_error.empty()) {
      send(error("FATAL", behaviour.startup_error));
      throw End{};
    }
    send(message('R', big_endian(0, 4)) + parameter("server_version", "15.0") +
         parameter("client_encoding", "UTF8") + parameter("standard_conforming_strings", "on") +
         parameter("default_transaction_read_only", behaviour.read_only ? "on" : "off") +
         parameter("in_hot_standby", behaviour.read_only ? "on" : "off") +
         message('K', big_endian(4711, 4) + big_endian(2, 4)) + message('Z', "I"));
  }

  void take(char type, const std::string& body) {
    if (type == 'X') throw End{};
    if (type == 'S') return sync();
    if (type == 'H') return flush();
    if (failed) return;  // everything up to the next Sync
    const auto split = body.find('\0');
    if (type == 'P') {
      statements[body.substr(0, split)] =
          body.substr(split + 1, body.find('\0', split + 1) - split - 1);
      out += message('1', "");
    } else if (type == 'B') {
      bind(body.substr(split + 1, body.find('\0', split + 1) - split - 1));
    } else if (type == 'D') {
      out += is_select() ? kRowDescription : message('n', "");
    } else if (type == 'E') {
      execute();
    }
  }

  void bind(const std::string& name) {
    const auto found = statements.find(name);
    if (found == statements.end()) {
      out += error("ERROR", "26000");
      failed = true;
      return;
    }
    bound = found->second;
    out += message('2', "");
  }
  bool is_select() const { return bound.starts_with("select"); }

  void execute() {
    ++server.executed_;
    auto reaction = behaviour.react ? behaviour.react(bound) : Reaction::answer;
    if (reaction == Reaction::wait) reaction = wait();
    switch (reaction) {
      case Reaction::silence:
      case Reaction::wait:
        hang();
      case Reaction::close:
        throw End{};
      case Reaction::garbage:
        send(out + std::string{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"});
        hang();
      case Reaction::fatal:
        send(out + error("FATAL", "57P01"));
        throw End{};
      case Reaction::error:
      case Reaction::read_only:
        out += error("ERROR", reaction == Reaction::error ? "XX000" : "25006");
        failed = true;
        return;
      case Reaction::answer:
      case Reaction::answer_close:
        break;
    }
    answer();
    if (reaction == Reaction::answer_close) close_after_sync = true;
  }
  void answer() {
    if (bound.starts_with("begin")) status = 'T';
    if (bound.starts_with("commit") || bound.starts_with("rollback")) status = 'I';
    if (is_select()) out += kRow;
    out += message('C', zero_ended(is_select() ? "SELECT 1" : bound.substr(0, bound.find(' '))));
  }

  void flush() {
    if (!out.empty()) send(std::exchange(out, {}));
  }
  void sync() {
    if (failed && status == 'T') status = 'E';
    failed = false;
    send(out + message('Z', std::string(1, status)));
    out.clear();
    if (close_after_sync) throw End{};
  }

  FakeServer& server;
  int socket;
  Behaviour behaviour;
  std::size_t sent = 0;
  std::string out{};
  std::map<std::string, std::string> statements{};
  std::string bound{};
  char status = 'I';
  bool failed = false;
  bool close_after_sync = false;
  std::thread thread;  // the last: it uses all of the above
};

FakeServer::FakeServer() : waiting_over_{eventfd(0, EFD_CLOEXEC)} {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error{"no port for the fake server"};
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { accept_all(); }};
}

FakeServer::~FakeServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  peers_.clear();
  ::close(waiting_over_);
}

void FakeServer::accept_all() {
  while (!stopping_) {
    const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) return;
    ++connections_;
    ++open_;
    const std::lock_guard lock{mutex_};
    peers_.push_back(std::make_unique<Peer>(*this, accepted, behaviour_));
  }
}

void FakeServer::behave(Behaviour behaviour) {
  const std::lock_guard lock{mutex_};
  behaviour_ = std::move(behaviour);
}

void FakeServer::react_to(std::string beginning, Reaction reaction) {
  behave({.react = [beginning = std::move(beginning), reaction](const std::string& sql) {
    return sql.starts_with(beginning) ? reaction : Reaction::answer;
  }});
}

void FakeServer::end_waiting(Reaction reaction) {
  const std::lock_guard lock{mutex_};
  after_waiting_ = reaction;
  const std::uint64_t once = 1;
  if (::write(waiting_over_, &once, sizeof once) < 0) throw std::runtime_error{"no eventfd"};
}

std::string FakeServer::url() const {
  return "postgresql://tester:sesame@127.0.0.1:" + std::to_string(port_) + "/test?sslmode=disable";
}

}  // namespace um::pg
