#include "cache/redis_l2_store.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <unordered_set>

#include "async/pause.hpp"
#include "base/random.hpp"
#include "drivers/redis/client.hpp"

namespace um {
namespace {

std::string hint_name(const std::string& name) {
  return name + ":l";
}

bool is_null(const L1Value& value) {
  if (const auto* user = std::get_if<UserRef>(&value)) return *user == nullptr;
  if (const auto* session = std::get_if<SessionRef>(&value)) return *session == nullptr;
  return false;
}

}  // namespace

// The names for which this instance has set the hint in Redis (the key hint_name()). put()
// deletes the hint: as long as it existed, other instances would wait for a fact that is there
// already.
class RedisL2Store::Hints {
 public:
  void add(const std::string& name) {
    const std::lock_guard lock{mutex_};
    // Names without a fact remain here; their hints in Redis expired long ago.
    constexpr std::size_t kMost = 10'000;
    if (names_.size() >= kMost) names_.clear();
    names_.insert(name);
  }
  bool take(const std::string& name) {
    const std::lock_guard lock{mutex_};
    return names_.erase(name) > 0;
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> names_;
};

RedisL2Store::RedisL2Store(RedisL2Options options, redis::Client& client, const Clock& clock)
    : options_{std::move(options)},
      seal_{options_.deployment_key},
      client_{client},
      clock_{clock},
      hints_{std::make_unique<Hints>()} {
  if (options_.ttl.count() <= 0 || options_.hint_ttl.count() <= 0 ||
      options_.hint_wait.count() <= 0)
    throw std::invalid_argument("the times of the Redis cache must be positive");
}
RedisL2Store::~RedisL2Store() = default;

std::optional<Fact> RedisL2Store::read(std::string_view key, const redis::Reply& reply) {
  if (reply.is_nil()) {
    counters_.absent.add();
    return std::nullopt;
  }
  std::expected<Fact, EntryFault> fact = std::unexpected{EntryFault::foreign};
  if (reply.is_text()) fact = seal_.open(key, reply.text);
  if (!fact) {
    counters_.refused.at(static_cast<std::size_t>(fact.error())).add();
    return std::nullopt;
  }
  counters_.facts.add();
  return std::move(*fact);
}

Task<std::optional<Fact>> RedisL2Store::get(std::string key, Deadline deadline) {
  counters_.gets.add();
  redis::Command command{"GET", seal_.name(key)};
  const redis::Outcome<redis::Reply> reply = co_await client_.call(std::move(command), deadline);
  if (!reply) {
    counters_.unreachable.add();
    co_return std::nullopt;
  }
  co_return read(key, *reply);
}

std::chrono::milliseconds RedisL2Store::jittered_ttl() const {
  const std::int64_t tenth = options_.ttl.count() / 10;
  const auto range = static_cast<std::uint64_t>(2 * tenth + 1);
  const auto offset = static_cast<std::int64_t>(random_u64() % range) - tenth;
  return std::chrono::milliseconds{options_.ttl.count() + offset};
}

void RedisL2Store::put(std::string key, Fact fact) {
  std::string entry;
  if (fact.read_in.tau != Tau{} && !is_null(fact.value)) entry = seal_.seal(key, fact);
  if (entry.empty() || entry.size() > FactSeal::kMaxEntryBytes) {
    counters_.not_put.add();
    return;
  }
  const std::string name = seal_.name(key);
  const std::string ttl = std::to_string(jittered_ttl().count());
  client_.send(redis::Command{"SET", name, entry, "PX", ttl});
  if (hints_->take(name)) client_.send(redis::Command{"UNLINK", hint_name(name)});
  counters_.puts.add();
}

Task<RedisL2Store::Load> RedisL2Store::set_hint(const std::string& name, Deadline deadline) {
  const std::string time = std::to_string(options_.hint_ttl.count());
  redis::Command command{"SET", hint_name(name), "1", "NX", "PX", time};
  const redis::Outcome<redis::Reply> reply = co_await client_.call(std::move(command), deadline);
  if (!reply) co_return Load::unknown;
  co_return reply->is_nil() ? Load::other : Load::mine;
}

Task<std::optional<Fact>> RedisL2Store::wait_for_other(std::string key, Deadline deadline) {
  const std::string name = seal_.name(key);
  const Deadline until{std::min(deadline.at, clock_.now() + options_.hint_wait)};
  const Load load = co_await set_hint(name, until);
  if (load == Load::mine) {
    counters_.hints.add();
    hints_->add(name);
  }
  if (load != Load::other) co_return std::nullopt;
  counters_.waits.add();
  std::optional<Fact> fact = co_await watch(key, until);
  if (fact) counters_.received.add();
  co_return fact;
}

// Polls with growing pauses, four or five times. Ends as soon as the hint is gone, with or without
// a fact.
Task<std::optional<Fact>> RedisL2Store::watch(const std::string& key, Deadline deadline) {
  const std::string name = seal_.name(key);
  const std::string hint = hint_name(name);
  std::chrono::nanoseconds pause = std::chrono::milliseconds{2};
  for (;; pause *= 2) {
    const auto left = deadline.at - clock_.now();
    if (left.count() <= 0) co_return std::nullopt;
    co_await um::pause(std::min(pause, left));
    redis::Command command{"MGET", name, hint};
    const redis::Outcome<redis::Reply> reply = co_await client_.call(std::move(command), deadline);
    if (!reply || reply->elements.size() != 2) co_return std::nullopt;
    std::expected<Fact, EntryFault> fact = std::unexpected{EntryFault::foreign};
    if (reply->elements[0].is_text()) fact = seal_.open(key, reply->elements[0].text);
    if (fact) co_return std::move(*fact);
    if (reply->elements[1].is_nil()) co_return std::nullopt;
  }
}

Task<bool> RedisL2Store::forget(std::string key, Deadline deadline) {
  redis::Command command{"UNLINK", seal_.name(key)};
  const redis::Outcome<redis::Reply> reply = co_await client_.call(std::move(command), deadline);
  co_return reply.has_value();
}

}  // namespace um
