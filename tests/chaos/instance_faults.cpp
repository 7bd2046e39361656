// Faults of an instance, and of the machine that it runs on.
#include <csignal>

#include "chaos/arena.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;
using Part = Fault::Part;
using Undo = std::function<void()>;

Undo stop_an_instance(Arena& arena) {
  auto& process = arena.fleet().instance(1).process();
  process.send_signal(SIGSTOP);
  return [&process] { process.send_signal(SIGCONT); };
}

// Stops the instance at a moment when the database has its hold and not its change.
Undo stop_the_writer(Arena& arena) {
  auto& process = arena.fleet().instance(0).process();
  auto session = arena.fleet().database().admin();
  const auto held = [&] {
    return session.integer(
               "SELECT count(*) FROM public.cache_holds WHERE ckey = convert_to($1, 'UTF8')",
               {"user:" + arena.clients().id_of("namer0")}) > 0;
  };
  const bool caught = eventually([&] {
    if (!held()) return false;
    process.send_signal(SIGSTOP);
    // A change that was sent already would end the hold.
    const auto sure = BootClock::now() + 50ms;
    while (held()) {
      if (BootClock::now() > sure) return true;
    }
    process.send_signal(SIGCONT);
    return false;
  });
  if (!caught) throw std::runtime_error("no hold was met");
  return [&process] { process.send_signal(SIGCONT); };
}

// Until the one that is left writes as if it were alone; then the others join it.
Undo kill_the_others(Arena& arena) {
  auto& fleet = arena.fleet();
  for (std::size_t i = 1; i < fleet.size(); ++i) {
    arena.keep_counters(i);
    fleet.instance(i).kill();
  }
  const auto before = arena.counter("strict writes, alone", 0);
  // X = 15 s later at the latest, unless another fault of the round keeps the rows of the dead. The
  // counters of the suite show that it happened.
  eventually([&] { return arena.counter("strict writes, alone", 0) > before; });
  return [&fleet] {
    for (std::size_t i = 1; i < fleet.size(); ++i) fleet.instance(i).start();
  };
}

Undo restart_all(Arena& arena) {
  auto& fleet = arena.fleet();
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    arena.keep_counters(i);
    fleet.instance(i).stop();
    fleet.instance(i).start();
  }
  return [] {};
}

// More busy processes than cores. Each ends by itself, whatever becomes of this one.
Undo starve(Arena&) {
  constexpr int kProcesses = 8;
  auto burners = std::make_shared<std::vector<std::unique_ptr<Process>>>();
  for (int i = 0; i < kProcesses; ++i) {
    burners->push_back(std::make_unique<Process>(
        Command{.program = "/bin/sh", .arguments = {"-c", "ulimit -t 3; while :; do :; done"}}));
  }
  return [burners] { burners->clear(); };
}

Undo shift_clock(Arena& arena) {
  if (!arena.shift_clock(15min)) return [] {};
  return [&arena] { arena.shift_clock(0s); };
}
Undo shift_clock_back(Arena& arena) {
  if (!arena.shift_clock(-15min)) return [] {};
  return [&arena] { arena.shift_clock(0s); };
}

}  // namespace

std::vector<Fault> instance_faults() {
  return {
      {"no fault", Part::machine, [](Arena&) { return [] {}; }},
      {"an instance is stopped (SIGSTOP)", Part::instance, stop_an_instance},
      {"a writer is stopped between hold and commit", Part::instance, stop_the_writer},
      {"two of three instances are killed", Part::instance, kill_the_others, 100ms},
      {"all instances are restarted, one by one", Part::instance, restart_all, 100ms},
      {"too little processor time", Part::machine, starve},
      {"a wall clock jumps forward", Part::machine, shift_clock},
      {"a wall clock jumps back", Part::machine, shift_clock_back},
  };
}

}  // namespace um::e2e
