#include "cli/terminal.hpp"

#include <fcntl.h>
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

std::optional<Secret> read_secret(int fd) {
  constexpr char kCtrlC = 3;
  constexpr char kCtrlD = 4;
  constexpr char kCtrlU = 21;
  std::string line;
  line.reserve(kMaxBytes);  // no copies of it left behind by growing
  char c = 0;
  while (::read(fd, &c, 1) == 1) {
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
  SignalWatch() : fd_{make()} {}
  ~SignalWatch() override {
    drain();  // else they would end the process as soon as they are unblocked
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  bool requested() override {
    requested_ = drain() || requested_;
    return requested_;
  }

 private:
  int make() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
    const int fd = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    return fd;
  }
  bool drain() {
    signalfd_siginfo info{};
    bool any = false;
    while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) any = true;
    return any;
  }

  sigset_t before_{};
  Descriptor fd_;
  bool requested_ = false;
};

}  // namespace

std::optional<Secret> ask_on_terminal(std::string_view prompt) {
  const Descriptor tty{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
  if (tty.get() < 0) return std::nullopt;
  std::optional<Secret> answer;
  {
    const SilentMode silent{tty.get()};
    if (!silent.is_terminal()) return std::nullopt;
    write_all(tty.get(), prompt);
    answer = read_secret(tty.get());
  }
  write_all(tty.get(), "\n");
  return answer;
}

std::unique_ptr<Interrupts> watch_signals() {
  return std::make_unique<SignalWatch>();
}

}  // namespace um
