#include "user/user.hpp"

#include <openssl/sha.h>

#include "user/text.hpp"
#include "user/time_text.hpp"

namespace um {

namespace {

// The representation in four parts, so that the digest can leave out the counters without another
// rendering: head · used_usd · middle · last_login_at and version.
std::string render_head(const User& user) {
  std::string out = "{\"id\":" + user.id.text() + ",\"email\":";
  append_json_string(out, user.email.text());
  out += ",\"username\":";
  if (user.username) {
    append_json_string(out, *user.username);
  } else {
    out += "null";
  }
  out += ",\"first_name\":";
  append_json_string(out, user.first_name);
  out += ",\"last_name\":";
  append_json_string(out, user.last_name);
  out += ",\"role\":\"";
  out += to_string(user.role);
  out += "\",\"is_active\":";
  out += user.is_active ? "true" : "false";
  out += ",\"quota_usd\":" + (user.quota_usd ? user.quota_usd->text() : "null");
  return out;
}

std::string render_middle(const User& user) {
  return ",\"model_capability_settings\":" + user.model_capability_settings.value_or("null") +
         ",\"created_at\":\"" + time_text(user.created_at) + "\",\"updated_at\":\"" +
         time_text(user.updated_at) + '"';
}

std::string render_tail(const User& user) {
  std::string out = ",\"last_login_at\":";
  out += user.last_login_at ? '"' + time_text(*user.last_login_at) + '"' : "null";
  return out += ",\"version\":" + std::to_string(user.version) + '}';
}

// 64 bits of SHA-256 are plenty to tell apart the few contents that can share
// a version, and owners cannot steer it as they could a fast hash. About a microsecond, once per
// row read from the database.
std::string digest_of(const std::string& profile) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters as OpenSSL takes them
  SHA256(reinterpret_cast<const unsigned char*>(profile.data()), profile.size(), hash.data());
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    text += kHex[hash.at(i) >> 4U];
    text += kHex[hash.at(i) & 0xFU];
  }
  return text;
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::user:
      return "user";
    case Role::admin:
      return "admin";
    case Role::service:
      return "service";
  }
  return "user";
}

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::user, Role::admin, Role::service}) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

Revision revision_of(const User& user) {
  return {.version = user.version, .digest = digest_of(render_head(user) + render_middle(user))};
}

UserRef make_record(User user) {
  const std::string head = render_head(user);
  const std::string middle = render_middle(user);
  Revision revision{.version = user.version, .digest = digest_of(head + middle)};
  std::string json = head + ",\"used_usd\":" + user.used_usd.text() + middle + render_tail(user);
  std::string etag = '"' + std::to_string(revision.version) + '-' + revision.digest + '-' +
                     std::to_string(user.counters_version) + '"';
  return std::make_shared<const UserRecord>(UserRecord{.user = std::move(user),
                                                       .revision = std::move(revision),
                                                       .json = std::move(json),
                                                       .etag = std::move(etag)});
}

}  // namespace um
