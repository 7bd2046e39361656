// Session: one sign-in, or one long-lived token of a service. It is alive while it is stored, has
// not expired, and carries the auth_epoch of its user. Values; thread safety: as any value.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "user/user_id.hpp"

namespace um {

// 128 random bits that name one session: the `sid` of its tokens.
class SessionId {
 public:
  static constexpr std::size_t kTextLength = 32;

  static SessionId random();
  // 32 lower-case hex digits, else nullopt.
  static std::optional<SessionId> parse(std::string_view text);

  std::string_view text() const { return {text_.data(), text_.size()}; }
  auto operator<=>(const SessionId&) const = default;

 private:
  explicit SessionId(std::string_view text);
  std::array<char, kTextLength> text_{};
};

enum class SessionKind { login, service_token };

struct Session {
  SessionId id;
  UserId user_id;
  std::int64_t auth_epoch = 0;
  SessionKind kind = SessionKind::login;
  WallTime created_at{};
  WallTime expires_at{};
  std::string address{};     // IP address of the client that signed in
  std::string user_agent{};  // at most 200 bytes; of a service token, its label
};
using SessionRef = std::shared_ptr<const Session>;

}  // namespace um
