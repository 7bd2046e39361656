#include "auth/tokens/token.hpp"

#include <fmt/format.h>

#include "auth/tokens/flat_json.hpp"

namespace um {
namespace {

constexpr std::int64_t kYear10000 = 253'402'300'800;  // seconds; beyond it calendars overflow

}  // namespace

std::string encode_claims(const Claims& claims) {
  return fmt::format(R"({{"iss":{},"sub":"{}","sid":"{}","iat":{},"exp":{},"jti":{}}})",
                     json_quoted(claims.issuer), claims.subject.value(), claims.session.text(),
                     claims.issued_at.time_since_epoch().count(),
                     claims.expires_at.time_since_epoch().count(), json_quoted(claims.token_id));
}

std::optional<Claims> decode_claims(std::string_view json) {
  const auto object = FlatJson::parse(json);
  if (!object) return std::nullopt;
  const auto* issuer = object->string("iss");
  const auto* subject = object->string("sub");
  const auto* session = object->string("sid");
  const auto* token_id = object->string("jti");
  const auto* issued_at = object->integer("iat");
  const auto* expires_at = object->integer("exp");
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
