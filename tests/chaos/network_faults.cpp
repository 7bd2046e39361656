// Faults of the network between two parts.
#include "chaos/arena.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;
using Part = Fault::Part;
using Lost = test::TcpGate::Lost;
using Undo = std::function<void()>;
using Gates = std::function<std::vector<test::TcpGate*>(Arena&)>;

std::vector<test::TcpGate*> one_to_postgres(Arena& arena) {
  return {&arena.fleet().gate(1)};
}
std::vector<test::TcpGate*> all_to_postgres(Arena& arena) {
  std::vector<test::TcpGate*> gates;
  for (std::size_t i = 0; i < arena.fleet().size(); ++i) gates.push_back(&arena.fleet().gate(i));
  return gates;
}
std::vector<test::TcpGate*> all_to_redis(Arena& arena) {
  return {&arena.fleet().redis_gate()};
}

std::function<Undo(Arena&)> hole(const Gates& gates_of, Lost lost) {
  return [=](Arena& arena) -> Undo {
    const auto gates = gates_of(arena);
    for (auto* gate : gates) gate->black_hole(lost);
    return [gates] {
      for (auto* gate : gates) gate->let_through();
    };
  };
}

// The server executes what was sent before, but its answers are lost.
Undo swallow(Arena& arena) {
  for (int i = 0; i < 3; ++i) {
    for (auto* gate : all_to_postgres(arena)) gate->swallow_answers();
    arena.clients().wait_for_writes(2);
  }
  return [] {};
}

// In the middle of answers.
Undo cut(Arena& arena) {
  for (const std::size_t bytes : {1U, 40U, 700U}) {
    for (auto* gate : all_to_postgres(arena)) gate->cut_after(bytes);
    arena.clients().wait_for_writes(2);
  }
  return [] {};
}

// Polls arrive late, now just in time and now too late.
Undo delay(Arena& arena) {
  auto pulse = std::make_shared<std::jthread>([&arena](const std::stop_token& stop) {
    const auto gates = all_to_postgres(arena);
    for (auto silence = 100ms; !stop.stop_requested(); silence = (silence + 130ms) % 700ms) {
      for (auto* gate : gates) gate->black_hole(Lost::answers);
      std::this_thread::sleep_for(silence);
      for (auto* gate : gates) gate->let_through();
      std::this_thread::sleep_for(60ms);
    }
  });
  return [pulse] {
    pulse->request_stop();
    pulse->join();
  };
}

}  // namespace

std::vector<Fault> network_faults() {
  return {
      {"connections to PostgreSQL are cut", Part::network, cut, 100ms},
      {"answers of PostgreSQL are lost, then the connections", Part::network, swallow, 100ms},
      {"an instance and PostgreSQL: no way through", Part::network,
       hole(one_to_postgres, Lost::everything), 2500ms},
      {"an instance and PostgreSQL: requests are lost", Part::network,
       hole(one_to_postgres, Lost::requests)},
      {"an instance and PostgreSQL: answers are lost", Part::network,
       hole(one_to_postgres, Lost::answers)},
      {"all instances and PostgreSQL: no way through", Part::network,
       hole(all_to_postgres, Lost::everything)},
      {"polls are delayed by 100 to 700 ms", Part::network, delay, 2500ms},
      {"all instances and Redis: no way through", Part::redis,
       hole(all_to_redis, Lost::everything)},
      {"all instances and Redis: answers are lost", Part::redis, hole(all_to_redis, Lost::answers),
       600ms},
  };
}

}  // namespace um::e2e
