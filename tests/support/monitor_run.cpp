#include "support/monitor_run.hpp"

#include <csignal>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "support/json.hpp"

namespace um::e2e {

MonitorRun::MonitorRun(const Stage& stage, std::vector<std::string> arguments) {
  Command command{.program = program(),
                  .arguments = {"monitor", "--json", "--interval", "20ms", "--token-file",
                                directory_.write("token", stage.token("admin") + "\n")}};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  process_ = std::make_unique<Process>(command);
}

bool MonitorRun::wait_for_intervals(int count) {
  const std::regex pattern{"\"event\":\"interval\",\"number\":" + std::to_string(count) + ",.*\n"};
  std::string matched;
  return process_->wait_for_output(pattern, matched, patience() + kPatience).has_value();
}

int MonitorRun::stop_after_writes(std::int64_t writes) {
  constexpr int kMostIntervals = 60;
  for (int count = 1; count <= kMostIntervals; ++count) {
    if (!wait_for_intervals(count)) break;
    std::int64_t done = 0;
    for (const auto& interval : events("interval"))
      done += interval.at("writes").to_number<std::int64_t>();
    if (done >= writes) return stop();
  }
  throw std::runtime_error("the monitor writes too little: " + process_->all());
}

int MonitorRun::end() {
  const auto exit = process_->wait(patience() + kPatience);
  if (!exit) throw std::runtime_error("the monitor does not end: " + process_->all());
  process_->drain_output();
  return exit->code;
}

int MonitorRun::stop() {
  process_->send_signal(SIGTERM);
  return end();
}

std::vector<boost::json::object> MonitorRun::events(std::string_view kind) const {
  std::vector<boost::json::object> found;
  std::istringstream lines{process_->out()};
  for (std::string line; std::getline(lines, line) && !lines.eof();) {  // whole lines
    const auto json = parse_json(line);
    if (text_at(json, "/event") == kind) found.push_back(json.as_object());
  }
  return found;
}

boost::json::object MonitorRun::summary() const {
  const auto all = events("summary");
  if (all.size() != 1) throw std::runtime_error("no summary: " + process_->all());
  return all.front();
}

std::int64_t MonitorRun::count(std::string_view name, std::string_view instance) const {
  const auto all = summary();
  if (instance.empty()) return all.at(name).to_number<std::int64_t>();
  for (const auto& of : all.at("instances").as_array())
    if (of.at("instance").as_string() == instance) return of.at(name).to_number<std::int64_t>();
  throw std::runtime_error("no such instance in the summary");
}

bool has_no_probes(Stage& stage) {
  return stage.get("admin", "/users/search?keyword=monitor.invalid").json().as_array().empty();
}

}  // namespace um::e2e
