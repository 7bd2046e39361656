// postgres_fixture start FILE | stop FILE: the cluster that all PostgreSQL tests of one ctest run
// share. `start` leaves a process behind that owns the server, and writes the server's URL to FILE.
// That process ends at `stop`, or when the caller of `start` (ctest) has ended.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <stdexcept>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/postgres_database.hpp"

namespace um::test {
namespace {

int pidfd_of(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path made = file.string() + ".new";
  std::ofstream{made} << text;
  std::filesystem::rename(made, file);
}

// Runs the server until SIGTERM, or until `caller` has ended. Errors are written to `report`.
void keep(const std::filesystem::path& file, int caller, int report) {
  ::setsid();
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  // Blocked before any thread exists, so that the signal is only read from the descriptor.
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
  std::string said = "ok";
  try {
    const PostgresServer server{{.settings = {"autovacuum=off"}}};
    prepare_templates(server);
    write_file(file, server_url_of(server) + '\n' + std::to_string(::getpid()) + '\n');
    if (::write(report, said.data(), said.size()) < 0) return;
    ::close(report);
    while (true) {
      const timespec moment{.tv_sec = 0, .tv_nsec = 50'000'000};
      if (::sigtimedwait(&stop, nullptr, &moment) == SIGTERM) break;
      pollfd gone{.fd = caller, .events = POLLIN, .revents = 0};
      if (::poll(&gone, 1, 0) > 0) break;
    }
  } catch (const std::exception& error) {
    said = error.what();
    if (::write(report, said.data(), said.size()) < 0) return;
  }
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

int start(const std::filesystem::path& file) {
  const int caller = pidfd_of(::getppid());
  int report[2];
  if (caller < 0 || ::pipe2(report, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  if (::fork() == 0) {
    const int nothing = ::open("/dev/null", O_RDWR);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, stream);
    ::close(report[0]);
    keep(file, caller, report[1]);
    ::_exit(0);
  }
  ::close(report[1]);
  std::string said;
  char buffer[1024];
  for (ssize_t size = 0; (size = ::read(report[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(size));
  if (said == "ok") return 0;
  std::fprintf(stderr, "%s\n", said.c_str());
  return 1;
}

int stop(const std::filesystem::path& file) {
  std::ifstream stream{file};
  std::string url;
  pid_t keeper = 0;
  if (!std::getline(stream, url) || !(stream >> keeper)) return 0;
  const int gone = pidfd_of(keeper);
  if (gone < 0) return 0;
  ::syscall(SYS_pidfd_send_signal, gone, SIGTERM, nullptr, 0);
  pollfd waiting{.fd = gone, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 30'000) > 0 ? 0 : 1;
}

}  // namespace
}  // namespace um::test

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: postgres_fixture start|stop FILE\n");
    return 2;
  }
  try {
    if (std::strcmp(argv[1], "start") == 0) return um::test::start(argv[2]);
    return um::test::stop(argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
