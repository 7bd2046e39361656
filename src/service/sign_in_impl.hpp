// The inside of SignIn, shared by its two source files.
#pragma once

#include <algorithm>
#include <atomic>

#include "service/sign_in.hpp"

namespace um {

class SignIn::Impl {
 public:
  Impl(Parts parts, Options options) : parts_{parts}, options_{options} {}

  Task<Result<SignedIn>> login(LoginRequest request, Deadline deadline);
  std::optional<Result<Principal>> authenticate_now(std::string_view token, BootTime now);
  Task<Result<Principal>> authenticate(std::string token, Deadline deadline);
  Parts& parts() { return parts_; }
  SignInStats stats() const;
  Deadline store_deadline(Deadline deadline) const {
    return deadline.no_later_than(Deadline::after(parts_.clock, options_.store_time).at);
  }

 private:
  // Somebody whose password was right, with the hash that says so.
  struct Proven {
    UserRef user;
    Secret hash;
  };
  struct Attempt {
    const LoginRequest& request;
    AttemptLimiter::Place& place;
    Deadline deadline;
  };
  Task<Result<SignedIn>> try_login(const LoginRequest& request, Deadline deadline);
  Task<Result<Proven>> prove(const Attempt& attempt);
  Task<Result<SignedIn>> open_session(const Attempt& attempt, Proven& proven);
  Task<Result<SessionRef>> create_session(const Attempt& attempt, Proven& proven);
  Task<Result<bool>> renew_hash(const Attempt& attempt, Proven& proven);
  Task<void> upgrade_hash(const LoginRequest& request, Proven proven, Deadline deadline);
  void count(const Result<SignedIn>& result);

  Parts parts_;
  Options options_;
  struct Counters {
    std::atomic<std::uint64_t> succeeded{0};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> limited{0};
    std::atomic<std::uint64_t> unavailable{0};
    std::atomic<std::uint64_t> cancelled{0};
  };
  Counters counters_;
};

}  // namespace um
