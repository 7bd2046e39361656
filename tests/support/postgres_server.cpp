#include "support/postgres_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace um::test {

namespace fs = std::filesystem;

namespace {

constexpr int kPortAttempts = 5;

bool is_root() {
  return ::geteuid() == 0;
}

fs::path binaries() {
  for (const char* version : {"15", "16", "17", "18"}) {
    const fs::path folder = fs::path{"/usr/lib/postgresql"} / version / "bin";
    if (fs::exists(folder / "initdb")) return folder;
  }
  throw std::runtime_error("PostgreSQL is not installed: no /usr/lib/postgresql/15/bin/initdb");
}

// In memory, if there is room: a database is a thousand files, and a disk takes longer to make and
// delete them than most tests take.
fs::path place() {
  constexpr std::uintmax_t kRoom = std::uintmax_t{4} << 30U;
  const fs::path memory{"/dev/shm"};
  std::error_code none;
  const fs::space_info space = fs::space(memory, none);
  return !none && space.available >= kRoom ? memory : fs::path{"/tmp"};
}

// A directory that the server's user can enter. Its path must be short, because a socket is in it.
fs::path make_root() {
  std::string name = place() / "um-pg-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  if (!is_root()) return name;
  const passwd* user = ::getpwnam("postgres");
  if (user == nullptr || ::chown(name.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error("there is no user postgres");
  return name;
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
      ::bind(socket, generic, size) == 0 && ::getsockname(socket, generic, &size) == 0;
  ::close(socket);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

std::string run_well(const e2e::Command& command) {
  const e2e::RunResult result = e2e::run(command, e2e::patience() + 5 * e2e::kPatience);
  if (result.code != 0) {
    throw std::runtime_error(command.program + " answered " + std::to_string(result.code) + ": " +
                             result.err);
  }
  return result.out;
}

}  // namespace

// A shell that waits for the end of its input, which comes when the test's process ends in any way.
// It ends only a server that runs in this directory.
struct PostgresServer::Watcher {
  explicit Watcher(const fs::path& root) {
    static constexpr const char* kScript =
        "read -r nothing; pid=$(head -n 1 \"$0/data/postmaster.pid\" 2>/dev/null);"
        "tries=0; while [ -n \"$pid\" ] && grep -aq \"$0\" \"/proc/$pid/cmdline\" 2>/dev/null;"
        "do kill -QUIT \"$pid\"; tries=$((tries + 1)); [ $tries -lt 100 ] || break; sleep 0.1; "
        "done;"
        "rm -rf \"$0\"";
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    // A reader of the test's output must not wait for this process.
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    std::string script = kScript;
    std::string directory = root.string();
    std::string shell = "/bin/sh";
    std::string option = "-c";
    std::array<char*, 5> arguments{shell.data(), option.data(), script.data(), directory.data(),
                                   nullptr};
    const int error =
        ::posix_spawn(&pid, shell.c_str(), &actions, &attributes, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    ::close(ends[0]);
    pipe = ends[1];
    if (error != 0) throw std::runtime_error("cannot start a shell");
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() {
    ::close(pipe);
    ::waitpid(pid, nullptr, 0);
  }

  pid_t pid = -1;
  int pipe = -1;
};

PostgresServer::PostgresServer(Options options)
    : options_{std::move(options)}, root_{make_root()}, data_{root_ / "data"} {
  watcher_ = std::make_unique<Watcher>(root_);
  if (options_.primary != nullptr) {
    run_well(command("pg_basebackup",
                     {"--pgdata=" + data_.string(), "--write-recovery-conf", "--checkpoint=fast",
                      "--no-sync", "--dbname=" + options_.primary->url()}));
  } else {
    run_well(command("initdb", {"--pgdata=" + data_.string(), "--username=postgres", "--auth=trust",
                                "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"}));
  }
  start();
}

PostgresServer::~PostgresServer() {
  if (process_ && process_->running()) {
    process_->send_signal(SIGQUIT);
    process_->wait();
  }
  process_.reset();
  // The watcher removes the directory.
}

std::string PostgresServer::url(const PostgresLogin& login) const {
  return "postgresql://" + login.user + "@127.0.0.1:" + std::to_string(port_) + '/' +
         login.database;
}

e2e::Command PostgresServer::command(const std::string& program,
                                     std::vector<std::string> arguments) const {
  const std::string path = program.starts_with('/') ? program : (binaries() / program).string();
  e2e::Command command{.program = path, .arguments = std::move(arguments)};
  if (is_root()) {
    command.program = "/usr/bin/setpriv";
    command.arguments.insert(command.arguments.begin(),
                             {"--reuid=postgres", "--regid=postgres", "--init-groups", "--", path});
  }
  command.environment = {{"LC_ALL", "C.UTF-8"}, {"PGOPTIONS", ""}, {"PGTZ", "UTC"}};
  command.working_directory = root_.string();
  return command;
}

void PostgresServer::start() {
  static const std::regex kSettled{
      "ready to accept (read-only )?connections|database system is shut down|FATAL:  (?!the "
      "database system)"};
  for (int attempt = 1; attempt <= kPortAttempts; ++attempt) {
    const int port = port_ != 0 ? port_ : free_port();
    std::vector<std::string> arguments{"-D", data_.string()};
    std::vector<std::string> settings{"port=" + std::to_string(port),
                                      "listen_addresses=127.0.0.1",
                                      "unix_socket_directories=" + root_.string(),
                                      "log_destination=stderr",
                                      "logging_collector=off",
                                      "timezone=UTC",
                                      "max_connections=200",
                                      options_.fsync ? "fsync=on" : "fsync=off"};
    settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
    for (const std::string& setting : settings) {
      arguments.emplace_back("-c");
      arguments.push_back(setting);
    }
    process_ = std::make_unique<e2e::Process>(command("postgres", std::move(arguments)));
    std::string matched;
    const auto settled = process_->wait_for_output(kSettled, matched);
    if (settled && settled->str().starts_with("ready")) {
      port_ = port;
      return;
    }
    // Another process has taken the port, or processes of a killed server still exist.
    process_->wait();
    process_->drain_output();
  }
  throw std::runtime_error("PostgreSQL does not start: " + log());
}

void PostgresServer::stop(Stop how) {
  process_->send_signal(how == Stop::fast ? SIGINT : SIGQUIT);
  if (!process_->wait()) throw std::runtime_error("PostgreSQL does not stop: " + log());
  process_->drain_output();
}

void PostgresServer::kill_postmaster() {
  process_->send_signal(SIGKILL);
  process_->wait();
  // Its children notice the end and exit; the last one closes the log.
  process_->drain_output();
}

void PostgresServer::kill_backend(pid_t backend) {
  ::kill(backend, SIGKILL);
}

std::string PostgresServer::psql(const std::string& script, const PostgresLogin& login) const {
  return test::psql(url(login), script);
}

void PostgresServer::copy_data() const {
  run_well(command("/bin/cp", {"-a", data_.string(), (root_ / "copy").string()}));
}

void PostgresServer::put_copy_back() const {
  run_well(command("/bin/rm", {"-rf", data_.string()}));
  run_well(command("/bin/cp", {"-a", (root_ / "copy").string(), data_.string()}));
}

std::string psql(const std::string& url, const std::string& script) {
  return run_well({.program = (binaries() / "psql").string(),
                   .arguments = {"--no-psqlrc", "--quiet", "--no-align", "--tuples-only",
                                 "--set=ON_ERROR_STOP=1", "--dbname=" + url},
                   .environment = {{"PGOPTIONS", ""}, {"PGTZ", "UTC"}},
                   .input = script});
}

std::string pg_dump(const std::string& url, std::vector<std::string> options) {
  options.push_back("--dbname=" + url);
  return run_well({.program = (binaries() / "pg_dump").string(), .arguments = std::move(options)});
}

}  // namespace um::test
