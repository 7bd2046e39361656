#include "auth/tokens/token.hpp"

#include "auth/tokens/jws.hpp"
#include "base/json_writer.hpp"

namespace um {
namespace {

constexpr std::int64_t kYear10000 = 253'402'300'800;  // seconds; beyond it calendars overflow

}  // namespace

std::string encode_claims(const Claims& claims) {
  return JsonWriter{}
      .open_object()
      .member("iss", claims.issuer)
      .member("sub", claims.subject.text())
      .member("sid", claims.session.text())
      .member("iat", claims.issued_at.time_since_epoch().count())
      .member("exp", claims.expires_at.time_since_epoch().count())
      .member("jti", claims.token_id)
      .close()
      .text();
}

std::optional<Claims> decode_claims(std::string_view json) {
  const auto object = read_flat_json(json);
  if (!object) return std::nullopt;
  const auto integer = [&object](std::string_view name) -> std::optional<std::int64_t> {
    const JsonValue* const value = object->find(name);
    return value == nullptr ? std::nullopt : value->integer();
  };
  const auto* issuer = object->find_string("iss");
  const auto* subject = object->find_string("sub");
  const auto* session = object->find_string("sid");
  const auto* token_id = object->find_string("jti");
  const auto issued_at = integer("iat");
  const auto expires_at = integer("exp");
  if (!issuer || !subject || !session || !token_id || !issued_at || !expires_at) {
    return std::nullopt;
  }
  const auto user_id = UserId::parse(*subject);
  const auto session_id = SessionId::parse(*session);
  if (!user_id || !session_id || *issued_at < 0 || *issued_at > *expires_at ||
      *expires_at >= kYear10000) {
    return std::nullopt;
  }
  return Claims{.issuer = *issuer,
                .subject = *user_id,
                .session = *session_id,
                .issued_at = std::chrono::sys_seconds{std::chrono::seconds{*issued_at}},
                .expires_at = std::chrono::sys_seconds{std::chrono::seconds{*expires_at}},
                .token_id = *token_id};
}

}  // namespace um
