#include "cli/terminal.hpp"

#include <bsd/readpassphrase.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>

namespace um {
namespace {

constexpr std::size_t kMaxAnswerBytes = 4096;

class SignalWatch final : public Interrupts {
 public:
  SignalWatch() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
    fd_ = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd_ >= 0) return;
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    throw std::system_error(error, std::generic_category(), "signalfd");
  }
  // Pending signals are taken first: they would end the process once they are unblocked.
  ~SignalWatch() override {
    drain();
    ::close(fd_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  bool requested() override {
    drain();
    return requested_;
  }

 private:
  void drain() {
    signalfd_siginfo info{};
    while (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) requested_ = true;
  }

  sigset_t before_{};
  int fd_ = -1;
  bool requested_ = false;
};

}  // namespace

std::optional<Secret> ask_on_terminal(std::string_view prompt) {
  const std::string text{prompt};
  std::string line(kMaxAnswerBytes + 1, '\0');  // of its final size: no copies left by growing
  const bool read = ::readpassphrase(text.c_str(), line.data(), line.size(),
                                     RPP_ECHO_OFF | RPP_REQUIRE_TTY) != nullptr;
  line.resize(std::strlen(line.c_str()));
  Secret answer{std::move(line)};
  if (!read || answer.empty()) return std::nullopt;
  return answer;
}

std::unique_ptr<Interrupts> watch_signals() {
  return std::make_unique<SignalWatch>();
}

}  // namespace um
