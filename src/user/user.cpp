#include "user/user.hpp"

#include <openssl/sha.h>

#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "user/time_text.hpp"

namespace um {

namespace {

struct Rendered {
  std::string json;
  std::string profile;  // without the counters and the version: the input of the digest
};

Rendered render(const User& user) {
  JsonWriter json;
  json.open_object()
      .member("id", user.id.value())
      .member("email", user.email.text())
      .member("username", user.username)
      .member("first_name", user.first_name)
      .member("last_name", user.last_name)
      .member("role", to_string(user.role))
      .member("is_active", user.is_active)
      .raw_member("quota_usd", user.quota_usd ? user.quota_usd->text() : "null");
  std::string profile = json.text();
  json.raw_member("used_usd", user.used_usd.text());
  const std::size_t counted = json.text().size();
  json.raw_member("model_capability_settings", user.model_capability_settings.value_or("null"))
      .member("created_at", time_text(user.created_at))
      .member("updated_at", time_text(user.updated_at));
  profile += std::string_view{json.text()}.substr(counted);
  const auto last_login_at =
      user.last_login_at ? std::optional{time_text(*user.last_login_at)} : std::nullopt;
  json.member("last_login_at", last_login_at).member("version", user.version).close();
  return {.json = json.take(), .profile = std::move(profile)};
}

// 64 bits of SHA-256 tell apart the few contents that can share a version, and users cannot make
// two contents collide as they could with a fast hash. It takes about a microsecond, once for each
// row that is read from the database.
std::string digest_of(const std::string& profile) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): characters as OpenSSL takes them
  SHA256(reinterpret_cast<const unsigned char*>(profile.data()), profile.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
  return hex_text(hash.substr(0, 8));
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
  return {.version = user.version, .digest = digest_of(render(user).profile)};
}

UserRef make_record(User user) {
  Rendered rendered = render(user);
  Revision revision{.version = user.version, .digest = digest_of(rendered.profile)};
  std::string etag = '"' + std::to_string(revision.version) + '-' + revision.digest + '-' +
                     std::to_string(user.counters_version) + '"';
  return std::make_shared<const UserRecord>(UserRecord{.user = std::move(user),
                                                       .revision = std::move(revision),
                                                       .json = std::move(rendered.json),
                                                       .etag = std::move(etag)});
}

}  // namespace um
