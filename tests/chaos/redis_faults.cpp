// Faults of Redis.
#include "chaos/arena.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;
using Part = Fault::Part;
using Undo = std::function<void()>;

Undo pause(Arena& arena) {
  auto& redis = arena.fleet().redis();
  redis.pause();
  return [&redis] { redis.resume(); };
}

Undo kill(Arena& arena) {
  auto& redis = arena.fleet().redis();
  redis.stop();
  return [&redis] { redis.start(); };
}

Undo restore(Arena& arena) {
  auto& redis = arena.fleet().redis();
  redis.cli({"SAVE"});
  arena.clients().wait_for_writes(20);
  redis.stop();
  redis.start(RedisServer::Content::snapshot);
  return [] {};
}

Undo flush(Arena& arena) {
  for (int i = 0; i < 5; ++i) {
    arena.fleet().redis().cli({"FLUSHALL"});
    arena.clients().wait_for_writes(2);
  }
  return [] {};
}

Undo fill(Arena& arena) {
  auto& redis = arena.fleet().redis();
  redis.cli({"CONFIG", "SET", "maxmemory", "1"});
  return [&redis] { redis.cli({"CONFIG", "SET", "maxmemory", "0"}); };
}

// By a server with other content, and later back.
Undo replace(Arena& arena) {
  auto other = std::make_shared<RedisServer>();
  auto& gate = arena.fleet().redis_gate();
  gate.lead_to(other->port());
  gate.cut();
  return [&arena, &gate, other] {
    gate.lead_to(arena.fleet().redis().port());
    gate.cut();
  };
}

}  // namespace

std::vector<Fault> redis_faults() {
  return {
      {"Redis is stopped (SIGSTOP)", Part::redis, pause},
      {"Redis is killed, and back empty", Part::redis, kill, 600ms},
      {"Redis is killed, and back with an old snapshot", Part::redis, restore, 300ms},
      {"Redis is emptied", Part::redis, flush, 100ms},
      {"Redis is full", Part::redis, fill, 600ms},
      {"Redis is replaced, and the old one comes back", Part::redis, replace, 600ms},
  };
}

}  // namespace um::e2e
