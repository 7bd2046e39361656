// Any bytes as a token: reading ends, a token verifies only if it is signed, and claims and headers
// that are written are read back the same.
#include <cstdlib>

#include "auth/tokens/base64url.hpp"
#include "auth/tokens/jws.hpp"
#include "auth/tokens/signing_keys.hpp"
#include "auth/tokens/token.hpp"
#include "base/json_writer.hpp"
#include "base/utf8.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Keys {
  std::shared_ptr<const um::JwsKey> ed25519 =
      um::JwsKey::ed25519(um::make_signing_key(um::WallTime{}));
  std::shared_ptr<const um::JwsKey> hs256 =
      um::JwsKey::hs256({.secret = um::Secret{"0123456789abcdef-a-test-secret-xyz"}});
};

void decoding_is_canonical(std::string_view text) {
  if (const auto bytes = um::base64url_decode(text)) {
    require(um::base64url_encode(*bytes) == text);
  }
  require(um::base64url_decode(um::base64url_encode(text)) == text);
}

void quoting_is_read_back(std::string_view text) {
  const auto object =
      um::read_flat_json(um::JsonWriter{}.open_object().member("t", text).close().text());
  if (!object || !um::is_utf8(text)) return;  // too long, or written with U+FFFD
  require(object->find_string("t") != nullptr && *object->find_string("t") == text);
}

void tokens_are_read(std::string_view text, const Keys& keys) {
  const auto jws = um::parse_jws(text);
  if (!jws) return;
  require(text.size() <= um::kMaxTokenBytes);
  require(!um::verify_jws(*jws, *keys.ed25519));  // the input cannot know the private half
  [[maybe_unused]] const bool hs256 = um::verify_jws(*jws, *keys.hs256);
  [[maybe_unused]] const auto claims = um::decode_claims(jws->payload);
}

void claims_are_read_back(std::string_view json) {
  const auto claims = um::decode_claims(json);
  if (!claims) return;
  const auto again = um::decode_claims(um::encode_claims(*claims));
  require(again.has_value());
  require(again->issuer == claims->issuer && again->subject == claims->subject &&
          again->session == claims->session && again->issued_at == claims->issued_at &&
          again->expires_at == claims->expires_at && again->token_id == claims->token_id);
}

void what_is_signed_verifies(std::string_view payload, const Keys& keys) {
  if (payload.empty()) return;
  const std::string token = um::sign_jws(payload, *keys.hs256);
  const auto jws = um::parse_jws(token);
  require(jws.has_value() == (token.size() <= um::kMaxTokenBytes));
  if (!jws) return;
  require(jws->payload == payload && um::verify_jws(*jws, *keys.hs256));
  require(!um::verify_jws(*jws, *keys.ed25519));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Keys keys;
  const std::string text{reinterpret_cast<const char*>(data), size};
  decoding_is_canonical(text);
  quoting_is_read_back(text);
  tokens_are_read(text, keys);
  claims_are_read_back(text);
  what_is_signed_verifies(text, keys);
  return 0;
}
