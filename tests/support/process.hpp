// Process: a child process with its standard streams captured; run(): one that is waited for.
//
// The child leads a process group of its own. The destructor kills it by its id, never by name. A
// thread reads both output streams all the time, so the child never blocks on them, and a test can
// wait for a text instead of sleeping. Thread safety: output functions from any thread, the others
// from the owner.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

#include "support/patience.hpp"

namespace um::e2e {

struct Command {
  std::string program;
  std::vector<std::string> arguments{};
  // Added to the environment of the test, or replacing parts of it. USER_MANAGER_* variables of the
  // test are never inherited.
  std::map<std::string, std::string> environment{};
  std::string input{};              // all of standard input
  std::string working_directory{};  // empty: the test's own
};

// The result of wait(): an exit code, or the signal that ended the process.
struct Exit {
  int code = -1;
  int signal = 0;
};

class Process {
 public:
  explicit Process(const Command& command);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void send_signal(int signal);
  // nullopt: still running at the deadline.
  std::optional<Exit> wait(Steady::time_point deadline = patience());
  bool running();

  std::string out() const;  // so far
  std::string err() const;
  std::string all() const { return out() + err(); }
  // Waits until one of the streams matches; nullopt at the deadline, or when both have ended.
  std::optional<std::smatch> wait_for_output(const std::regex& pattern, std::string& matched,
                                             Steady::time_point deadline = patience());
  // Waits until both streams are closed. After wait(), all output has been read.
  void drain_output();

 private:
  void collect(int out_fd, int err_fd, int input_fd, std::string input);

  pid_t pid_ = -1;
  std::optional<Exit> exit_{};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string out_;     // guarded by mutex_
  std::string err_;     // guarded by mutex_
  bool ended_ = false;  // guarded by mutex_

  std::jthread collector_;
};

struct RunResult {
  int code = -1;  // -1: did not end in time, or by a signal
  std::string out;
  std::string err;
};
RunResult run(const Command& command, Steady::time_point deadline = patience() + kPatience);

}  // namespace um::e2e
