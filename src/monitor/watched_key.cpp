#include "monitor/watched_key.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "drivers/http_client/client.hpp"

namespace um {
namespace {

constexpr std::size_t kLives = 16;
constexpr std::int64_t kOldLife = -1;  // older than all that are remembered

std::string text_of(const std::optional<UserState>& state) {
  if (!state || state->life % 2 == 0) return "no user";
  return "version " + std::to_string(state->version);
}

}  // namespace

std::string email_path(std::string_view email) {
  return "/users/by-email/" + http_client::percent_encode(email);
}

WatchedKey WatchedKey::of_id(std::int64_t id, std::chrono::nanoseconds bound) {
  const std::string text = std::to_string(id);
  WatchedKey key{"/user/" + text, "user " + text, bound};
  key.id_ = id;
  key.lives_.push_back({.id = id, .life = 1});
  return key;
}

WatchedKey WatchedKey::of_email(std::string email, std::chrono::nanoseconds bound) {
  WatchedKey key{email_path(email), "address " + email, bound};
  key.email_ = fold_ascii(email);
  return key;
}

std::optional<std::int64_t> WatchedKey::life_of(std::int64_t id) {
  const auto known = std::ranges::find(lives_, id, &Life::id);
  if (known != lives_.end()) return known->life;
  if (!lives_.empty() && id < lives_.front().id) return kOldLife;
  const bool is_newest = lives_.empty() || id > lives_.back().id;
  if (!expected_life_ || !is_newest) return std::nullopt;
  lives_.push_back({.id = id, .life = *std::exchange(expected_life_, std::nullopt)});
  if (lives_.size() > kLives) lives_.erase(lives_.begin());
  return lives_.back().life;
}

bool WatchedKey::is_another_user(const FoundUser& user) const {
  return id_ ? user.id != *id_ : fold_ascii(user.email) != email_;
}

Verdict WatchedKey::end_read(const KeyHistory::Floor& floor, const FoundOrNone& reading,
                             BootTime now) {
  std::optional<UserState> returned;
  if (reading) {
    if (is_another_user(*reading))
      return {.kind = Verdict::Kind::broken, .reason = "the answer is about another user"};
    const auto life = life_of(reading->id);
    if (!life) return {.kind = Verdict::Kind::foreign};
    returned = UserState{.life = *life, .version = reading->version};
  }
  const auto broken = history_.end_read(floor, returned, now);
  if (!broken) return {};
  return {.kind = Verdict::Kind::broken,
          .age = broken->age,
          .reason = text_of(broken->returned) + ", although " + text_of(broken->known) +
                    " was known before the read began"};
}

}  // namespace um
