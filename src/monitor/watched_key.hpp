// WatchedKey: a user by id, or an e-mail address, that the monitor reads at every instance, and
// what the answers mean for its history.
//
// Pure; thread safety: none. REQUIRES: calls in the order of time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/key_history.hpp"

namespace um {

struct FoundUser {
  std::int64_t id = 0;
  std::int64_t version = 0;
  std::string email{};
};
using FoundOrNone = std::optional<FoundUser>;  // nullopt: there is no such user

struct Verdict {
  enum class Kind {
    kept,
    broken,
    foreign,  // a user that another program made at the address: cannot be judged
  };
  Kind kind = Kind::kept;
  std::chrono::nanoseconds age{};  // broken: how long a newer state was known
  std::string reason{};            // for people: "version 7, although version 9 was known"
};

// The path of a read by address.
std::string email_path(std::string_view email);

class WatchedKey {
 public:
  static WatchedKey of_id(std::int64_t id, std::chrono::nanoseconds bound);
  static WatchedKey of_email(std::string email, std::chrono::nanoseconds bound);

  const std::string& path() const { return path_; }  // of the request: "/user/7"
  const std::string& name() const { return name_; }  // for people: "user 7"
  KeyHistory& history() { return history_; }

  // A creation was sent: a user with an id that is larger than all before lives this life.
  void user_may_appear(std::int64_t life) { expected_life_ = life; }
  // The life of a user; learned from the answer to its creation, or from a read before that answer.
  std::optional<std::int64_t> life_of(std::int64_t id);

  KeyHistory::Floor begin_read(std::size_t instance, BootTime now) const {
    return history_.begin_read(instance, now);
  }
  Verdict end_read(const KeyHistory::Floor& floor, const FoundOrNone& reading, BootTime now);

 private:
  struct Life {
    std::int64_t id;
    std::int64_t life;
  };
  WatchedKey(std::string path, std::string name, std::chrono::nanoseconds bound)
      : path_{std::move(path)}, name_{std::move(name)}, history_{bound} {}
  bool is_another_user(const FoundUser& user) const;

  std::string path_;
  std::string name_;
  KeyHistory history_;
  std::optional<std::int64_t> id_{};    // of a key by id
  std::optional<std::string> email_{};  // of a key by address
  std::vector<Life> lives_{};           // ascending; the newest kLives
  std::optional<std::int64_t> expected_life_{};
};

}  // namespace um
