// RedisAttempts: SharedAttempts in Redis, for any number of accounts and addresses in constant
// memory (about 6 MB at most).
//
// The same sketch as failure_window.hpp, laid out over strings of 16-bit counters: one string for
// each step of the window and of each kind (accounts, addresses), which expires by itself when the
// window has passed. Which counters a name has depends on a key that all instances share and
// nobody else knows. Sign-ins under way are counted in the same way, in steps of half a minute; a
// mark that is never taken back stops counting after 60 to 90 seconds. Time is the server's.
//
// take() is one Lua script, so it is atomic. The keys of a deployment share a hash tag.
//
// Thread safety: any thread. `client` outlives this.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "auth/attempts/attempt_sketch.hpp"
#include "auth/attempts/shared_attempts.hpp"
#include "base/secret.hpp"
#include "drivers/redis/command.hpp"

namespace um::redis {
class Client;
struct Reply;
}  // namespace um::redis

namespace um {

struct RedisAttemptsOptions {
  AttemptLimits limits{};
  Secret deployment_key{};  // the same for all instances
  std::string prefix{};     // of the keys in Redis: "um:0123abcd:"
  // For tests: milliseconds, instead of the server's time.
  std::function<std::int64_t()> now{};
};

class RedisAttempts final : public SharedAttempts {
 public:
  // Throws std::invalid_argument if a limit is not positive or above 30,000.
  RedisAttempts(RedisAttemptsOptions options, redis::Client& client);
  ~RedisAttempts() override;

  Task<std::optional<Answer>> take(Who who, Deadline deadline) override;
  void end(const Who& who, Taken place, Outcome outcome) override;

 private:
  std::vector<std::string> arguments(std::string_view what, const Who& who) const;

  const RedisAttemptsOptions options_;
  const AttemptSketch sketch_;
  const std::string name_;
  const redis::Script script_;
  redis::Client& client_;
};

}  // namespace um
