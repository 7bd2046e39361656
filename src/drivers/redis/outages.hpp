// Outages: tells people once when the first event loop finds the server away, and once when all of
// them have it back.
//
// Thread safety: any thread; `log` is called under a lock, one line at a time.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/replace_all.hpp"
#include "base/secret.hpp"

namespace um::redis {

class Outages {
 public:
  // Either may be empty. A server that repeats the password in its complaint is not repeated.
  Outages(std::function<void(std::string_view)> log, const Secret& password)
      : log_{std::move(log)}, password_{password} {}

  // Of one loop, in turns.
  void begin(std::string_view why) {
    const std::scoped_lock lock{mutex_};
    if (++loops_without_ == 1) tell("Redis is left out until it answers again: ", scrubbed(why));
  }
  void end() {
    const std::scoped_lock lock{mutex_};
    if (--loops_without_ == 0) tell("Redis is used again", "");
  }

 private:
  std::string scrubbed(std::string_view text) const {
    std::string line{text};
    if (!password_.empty()) replace_all(line, password_.reveal(), "***");
    return line;
  }
  void tell(std::string_view what, const std::string& why) const {
    if (log_) log_(std::string{what} + why);
  }

  const std::function<void(std::string_view)> log_;
  const Secret password_;
  std::mutex mutex_;
  int loops_without_ = 0;
};

}  // namespace um::redis
