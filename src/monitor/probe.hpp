// Probe: a user of the monitor's own, which it creates, changes and removes again and again.
//
// A probe has an address that names it, and is inactive, so nobody can sign in as one. It has one
// writer, which waits for each answer. If the outcome of a creation or a removal is unknown, the
// order of the states is unknown from then on: the probe is retired, and another one takes its
// place.
//
// A state machine without I/O: begin_write() says what to send, end_write() takes the answer.
// Thread safety: none. REQUIRES: calls in the order of time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/watched_key.hpp"

namespace um {

// "probe-<16 hex digits>@monitor.invalid". The domain is reserved (RFC 6761): no mail reaches it.
std::string make_probe_address();
bool is_probe_address(std::string_view email);
// All addresses of probes, and few others, contain it.
inline constexpr std::string_view kProbeKeyword = "monitor.invalid";

struct WriteResult {
  enum class Outcome {
    done,
    not_done,  // certainly
    unknown,
    gone,  // the user does not exist any more
  };
  Outcome outcome = Outcome::unknown;
  FoundUser user{};  // of a creation or a change that was done
};

class Probe {
 public:
  static constexpr int kChangesPerLife = 8;
  using KeyRef = std::shared_ptr<WatchedKey>;

  struct Write {
    enum class Kind { create, change, remove };
    Kind kind = Kind::create;
    std::int64_t number = 0;  // different for each write
    std::int64_t id = 0;      // of the user to change or to remove
  };

  Probe(std::string email, std::chrono::nanoseconds bound);

  const std::string& email() const { return email_; }
  bool is_writing() const { return writing_; }
  bool is_retired() const { return retired_; }
  // What the reads ask for: the address, and the ids of this life and the one before.
  std::vector<KeyRef> keys() const;
  // The user that exists now; nullopt: none, or unknown.
  std::optional<std::int64_t> id() const;
  // A creation was sent, and no removal has been acknowledged since.
  bool may_exist() const { return may_exist_; }

  // REQUIRES: neither writing nor retired.
  Write begin_write();
  void end_write(const WriteResult& result, std::size_t instance, BootTime now);

 private:
  Write::Kind next_kind() const;
  void created(const WriteResult& result, std::size_t instance, BootTime now);
  void removed(std::size_t instance, BootTime now);

  const std::string email_;
  const std::chrono::nanoseconds bound_;
  const KeyRef by_email_;
  KeyRef by_id_{};         // of this life; null: there is no user
  KeyRef by_former_id_{};  // of the life before; null: there was none
  std::int64_t id_ = 0;
  std::int64_t life_ = 0;
  std::int64_t writes_ = 0;
  int changes_ = 0;  // in this life
  Write::Kind kind_ = Write::Kind::create;
  bool writing_ = false;
  bool retired_ = false;
  bool may_exist_ = false;
};

}  // namespace um
