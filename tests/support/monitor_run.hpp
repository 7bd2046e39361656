// MonitorRun: `user-manager monitor` as a child process, with the lines of its report.
// Thread safety: none.
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "support/process.hpp"
#include "support/scenario.hpp"
#include "support/temp_directory.hpp"

namespace um::e2e {

inline std::string base_url(std::uint16_t port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

class MonitorRun {
 public:
  // With the token of the stage's administrator, and --json; `arguments` follow.
  MonitorRun(const Stage& stage, std::vector<std::string> arguments);

  Process& process() { return *process_; }
  // Waits until the monitor has told so many intervals.
  bool wait_for_intervals(int count);
  // SIGTERM after the interval in which it has done so many writes, however slow the machine is;
  // the exit code. REQUIRES: --report-interval 1s.
  int stop_after_writes(std::int64_t writes);
  // Waits for the end: the exit code.
  int end();
  int stop();  // SIGTERM first

  // After the end: the objects of one kind ("broken", "interval", "summary").
  std::vector<boost::json::object> events(std::string_view kind) const;
  boost::json::object summary() const;
  // A count of the summary; of one instance, if it is named.
  std::int64_t count(std::string_view name, std::string_view instance = {}) const;

 private:
  test::TempDirectory directory_;
  std::unique_ptr<Process> process_;
};

// No probe user is in the database.
bool has_no_probes(Stage& stage);

}  // namespace um::e2e
