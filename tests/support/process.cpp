#include "support/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <climits>

extern char** environ;

namespace um::e2e {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    read_end = ends[0];
    write_end = ends[1];
  }
};

std::vector<std::string> environment_of(const Command& command) {
  std::map<std::string, std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || text.starts_with("USER_MANAGER_")) continue;
    merged.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  for (const auto& [name, value] : command.environment) merged.insert_or_assign(name, value);
  std::vector<std::string> lines;
  for (const auto& [name, value] : merged) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t spawn(const Command& command, int in, int out, int err) {
  std::vector<std::string> arguments{command.program};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment = environment_of(command);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  if (!command.working_directory.empty()) {
    ::posix_spawn_file_actions_addchdir_np(&actions, command.working_directory.c_str());
  }
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  ::posix_spawnattr_setpgroup(&attributes, 0);

  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, command.program.c_str(), &actions, &attributes,
                                  pointers_to(arguments).data(), pointers_to(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), command.program);
  return pid;
}

}  // namespace

Process::Process(const Command& command) {
  // A child that does not read its input must not end the test.
  ::signal(SIGPIPE, SIG_IGN);
  Pipe in;
  Pipe out;
  Pipe err;
  pid_ = spawn(command, in.read_end, out.write_end, err.write_end);
  ::close(in.read_end);
  ::close(out.write_end);
  ::close(err.write_end);
  collector_ = std::jthread{[this, in, out, err, input = command.input] {
    collect(out.read_end, err.read_end, in.write_end, input);
  }};
}

Process::~Process() {
  if (running()) {
    send_signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Process::send_signal(int signal) {
  if (!exit_) ::kill(pid_, signal);
}

bool Process::running() {
  return !wait(Steady::now());
}

std::optional<Exit> Process::wait(Steady::time_point deadline) {
  if (exit_) return exit_;
  // A pidfd becomes readable when the process ends: no polling of waitpid.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  pollfd ready{.fd = pidfd, .events = POLLIN, .revents = 0};
  const int found = ::poll(&ready, 1, milliseconds_until(deadline));
  if (pidfd >= 0) ::close(pidfd);
  if (found <= 0) return std::nullopt;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  exit_ = WIFEXITED(status) ? Exit{.code = WEXITSTATUS(status)} : Exit{.signal = WTERMSIG(status)};
  return exit_;
}

std::string Process::out() const {
  const std::scoped_lock lock{mutex_};
  return out_;
}

std::string Process::err() const {
  const std::scoped_lock lock{mutex_};
  return err_;
}

std::optional<std::smatch> Process::wait_for_output(const std::regex& pattern, std::string& matched,
                                                    Steady::time_point deadline) {
  std::unique_lock lock{mutex_};
  std::smatch match;
  while (true) {
    for (const std::string* stream : {&out_, &err_}) {
      matched = *stream;
      if (std::regex_search(matched, match, pattern)) return match;
    }
    if (ended_ || changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
      return std::nullopt;
    }
  }
}

void Process::drain_output() {
  std::unique_lock lock{mutex_};
  changed_.wait_until(lock, patience(), [this] { return ended_; });
}

void Process::collect(int out_fd, int err_fd, int input_fd, std::string input) {
  std::array<pollfd, 3> fds{pollfd{.fd = out_fd, .events = POLLIN, .revents = 0},
                            pollfd{.fd = err_fd, .events = POLLIN, .revents = 0},
                            pollfd{.fd = input_fd, .events = POLLOUT, .revents = 0}};
  const auto close_fd = [](pollfd& entry) {
    ::close(entry.fd);
    entry.fd = -1;
  };
  std::size_t written = 0;
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (fds[2].fd >= 0 && written == input.size()) close_fd(fds[2]);
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) break;
    if (fds[2].fd >= 0 && fds[2].revents != 0) {
      const ssize_t count = ::write(fds[2].fd, input.data() + written,
                                    std::min<std::size_t>(input.size() - written, PIPE_BUF));
      if (count <= 0) {
        close_fd(fds[2]);
      } else {
        written += static_cast<std::size_t>(count);
      }
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      std::array<char, 16 * 1024> buffer{};
      const ssize_t count = ::read(fds[i].fd, buffer.data(), buffer.size());
      if (count <= 0) {
        close_fd(fds[i]);
        continue;
      }
      const std::scoped_lock lock{mutex_};
      (i == 0 ? out_ : err_).append(buffer.data(), static_cast<std::size_t>(count));
      changed_.notify_all();
    }
  }
  if (fds[2].fd >= 0) ::close(fds[2].fd);
  const std::scoped_lock lock{mutex_};
  ended_ = true;
  changed_.notify_all();
}

RunResult run(const Command& command, Steady::time_point deadline) {
  Process process{command};
  const auto exit = process.wait(deadline);
  if (!exit) process.send_signal(SIGKILL);
  process.drain_output();
  return {.code = exit && exit->signal == 0 ? exit->code : -1,
          .out = process.out(),
          .err = process.err()};
}

}  // namespace um::e2e
