#include "cli/terminal.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <initializer_list>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <system_error>
#include <termios.h>
#include <unistd.h>

namespace um {
namespace {

constexpr std::size_t kMaxBytes = 4096;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_{fd} {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Signals wait while it lives, and take effect when it goes, unless they were drained. Of this
// thread and those it makes: others that exist already get them as before.
class HeldSignals {
 public:
  HeldSignals(std::initializer_list<int> numbers) : fd_{hold(numbers)} {}
  ~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // Takes those that wait; false if none did.
  bool drain() {
    signalfd_siginfo info{};
    bool any = false;
    while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) any = true;
    return any;
  }
  // Until `fd` can be read; false if a signal came first.
  bool wait_for_input(int fd) const {
    std::array<pollfd, 2> both{pollfd{.fd = fd_.get(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = fd, .events = POLLIN, .revents = 0}};
    int ready = 0;
    do {
      ready = ::poll(both.data(), both.size(), -1);
    } while (ready < 0 && errno == EINTR);
    return ready > 0 && both[0].revents == 0;
  }

 private:
  int hold(std::initializer_list<int> numbers) {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int number : numbers) ::sigaddset(&signals, number);
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
    const int fd = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    return fd;
  }

  sigset_t before_{};
  Descriptor fd_;
};

// Bytes come as they are typed, unseen. Signals are characters too: a Ctrl-C that ended the process
// here would leave the terminal without echo.
class SilentMode {
 public:
  explicit SilentMode(int fd) : fd_{fd} {
    is_terminal_ = ::tcgetattr(fd, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    if (is_terminal_) ::tcsetattr(fd, TCSAFLUSH, &silent);
  }
  ~SilentMode() {
    if (is_terminal_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  SilentMode(const SilentMode&) = delete;
  SilentMode& operator=(const SilentMode&) = delete;
  bool is_terminal() const { return is_terminal_; }

 private:
  int fd_;
  bool is_terminal_ = false;
  termios before_{};
};

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Removes the last character, which may be several bytes.
void erase_last(std::string& line) {
  while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0U) == 0x80U)
    line.pop_back();
  if (!line.empty()) line.pop_back();
}

std::optional<Secret> read_secret(int fd, const HeldSignals& signals) {
  constexpr char kCtrlC = 3;
  constexpr char kCtrlD = 4;
  constexpr char kCtrlU = 21;
  std::string line;
  line.reserve(kMaxBytes);  // no copies of it left behind by growing
  char c = 0;
  while (signals.wait_for_input(fd) && ::read(fd, &c, 1) == 1) {
    if (c == '\n' || c == '\r') return Secret{std::move(line)};
    if (c == kCtrlC || c == kCtrlD) break;
    if (c == kCtrlU) {
      line.clear();
    } else if (c == '\b' || c == 0x7F) {
      erase_last(line);
    } else if (line.size() < kMaxBytes) {
      line += c;
    }
  }
  const Secret wiped{std::move(line)};
  return std::nullopt;
}

class SignalWatch final : public Interrupts {
 public:
  ~SignalWatch() override { held_.drain(); }  // else they would end the process after all
  bool requested() override {
    requested_ = held_.drain() || requested_;
    return requested_;
  }

 private:
  HeldSignals held_{SIGINT, SIGTERM};
  bool requested_ = false;
};

}  // namespace

std::optional<Secret> ask_on_terminal(std::string_view prompt) {
  const Descriptor tty{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
  if (tty.get() < 0) return std::nullopt;
  std::optional<Secret> answer;
  // The first to be made: what ends the process does so with the terminal as it was.
  const HeldSignals signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  {
    const SilentMode silent{tty.get()};
    if (!silent.is_terminal()) return std::nullopt;
    write_all(tty.get(), prompt);
    answer = read_secret(tty.get(), signals);
  }
  write_all(tty.get(), "\n");
  return answer;
}

std::unique_ptr<Interrupts> watch_signals() {
  return std::make_unique<SignalWatch>();
}

}  // namespace um
