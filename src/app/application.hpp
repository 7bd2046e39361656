// Application: everything that `serve` runs, wired together. The members stand in the order in
// which they are made; each may use the ones above it.
//
// Life: make() opens the database and binds the address, run() serves, drain() announces the end,
// stop() ends. All of these from the main thread, once, in this order (drain() may be left out);
// the parts have their own threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "api/api.hpp"
#include "app/application_info.hpp"
#include "app/background.hpp"
#include "app/change_watcher.hpp"
#include "app/event_loops.hpp"
#include "app/redis_parts.hpp"
#include "auth/attempts/local_attempt_limiter.hpp"
#include "auth/attempts/stored_attempt_limiter.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "auth/tokens/token_authority.hpp"
#include "cache/cache.hpp"
#include "cache/cached_session_store.hpp"
#include "cache/cached_user_store.hpp"
#include "config/config.hpp"
#include "drivers/http/server.hpp"
#include "service/sign_in.hpp"
#include "service/users.hpp"
#include "storage/storage.hpp"
#include "telemetry/log.hpp"

namespace um {

class Application {
 public:
  struct Surroundings {
    const Config& config;  // these outlive the application
    const Clock& clock;
    Logger& log;
    // PostgreSQL: the key that all instances share. It seals facts in Redis and hides the names of
    // accounts and addresses in the counters of failed sign-ins.
    std::optional<Secret> deployment_key{};
  };
  // invalid: a setting (certificate, secret file, address); unavailable and others: the database.
  static Result<std::unique_ptr<Application>> make(Surroundings around);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // Reads the signing keys and begins to serve; returns then.
  Result<void> run();
  // Not ready any more, but still serving: each connection gets one more answer.
  void drain();
  // Finishes the requests under way; false if some were cut off after `at_most`.
  bool stop(std::chrono::seconds at_most);

  std::uint16_t port() const { return server_->port(); }
  bool serves_https() const { return https_; }
  std::string storage_description() const { return storage_->describe(); }
  Result<bool> has_admin();
  ApplicationStats stats() const;

 private:
  // The parts that are opened before the rest is made, because that can fail.
  struct Parts {
    std::unique_ptr<EventLoops> loops;
    std::unique_ptr<Storage> storage;
    std::unique_ptr<RedisParts> redis{};
    std::optional<Secret> hs256_secret{};
  };
  Application(Surroundings around, Parts parts);
  Result<void> listen();
  void start_feed();
  void start_housekeeping();
  void stop_background();
  void log_request(const api::RequestLogLine& line) const;
  AttemptLimiter& make_limiter(const std::optional<Secret>& deployment_key);
  api::ApiOptions api_options();

  const Config& config_;
  const Clock& clock_;
  Logger& log_;
  const BootTime started_at_;

  // Destroyed last: a thread of the storage or of the hasher may still be returning from posting
  // its last answer to a loop until its part has joined it.
  std::unique_ptr<EventLoops> loops_;

  std::unique_ptr<Storage> storage_;
  std::unique_ptr<RedisParts> redis_;  // null: no Redis
  Cache cache_;
  CachedUserStore user_store_;
  CachedSessionStore session_store_;

  PasswordHasher hasher_;
  LocalAttemptLimiter local_limiter_;
  std::optional<StoredAttemptLimiter> stored_limiter_;  // PostgreSQL
  AttemptLimiter& limiter_;                             // the stored one if there is one
  TokenAuthority tokens_;
  SignIn sign_in_;
  Users users_;

  ApplicationInfo process_info_;
  api::Api api_;

  std::unique_ptr<http::Server> server_;
  Background background_;
  bool upkeep_fails_ = false;              // of the chore
  std::optional<ChangeWatcher> listener_;  // of the storage's changes
  bool https_ = false;
};

}  // namespace um
