#include "auth/tokens/jws.hpp"

#include "auth/tokens/base64url.hpp"
#include "base/json_writer.hpp"

namespace um {
namespace {

constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::size_t kMaxTextBytes = 4096;

// The members that this service writes, and no others.
bool read_header(std::string_view text, Jws& jws) {
  const auto header = read_flat_json(text);
  if (!header) return false;
  for (const auto& [name, value] : header->members) {
    if (value.kind != JsonValue::Kind::string || value.text.empty()) return false;
    if (name == "alg") {
      jws.algorithm = value.text;
    } else if (name == "kid") {
      jws.kid = value.text;
    } else if (name != "typ" || value.text != "JWT") {
      return false;
    }
  }
  return !jws.algorithm.empty();
}

}  // namespace

std::optional<JsonValue> read_flat_json(std::string_view text) {
  auto object = read_json(text, {.depth = 1, .values = kMaxFlatMembers + 1});
  if (!object || object->kind != JsonValue::Kind::object) return std::nullopt;
  for (const auto& [name, value] : object->members) {
    if (name.size() > kMaxNameBytes || value.text.size() > kMaxTextBytes) return std::nullopt;
  }
  return *std::move(object);
}

std::optional<Jws> parse_jws(std::string_view text) {
  if (text.size() > kMaxTokenBytes) return std::nullopt;
  const std::size_t first = text.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  // A third dot is outside the alphabet, so the signature's decoding refuses it.
  auto header = base64url_decode(text.substr(0, first));
  auto payload = base64url_decode(text.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(text.substr(second + 1));
  if (!header || !payload || !signature || payload->empty() || signature->empty()) {
    return std::nullopt;
  }
  Jws jws{.signing_input = text.substr(0, second),
          .algorithm = {},
          .kid = {},
          .payload = std::move(*payload),
          .signature = std::move(*signature)};
  if (!read_header(*header, jws)) return std::nullopt;
  return jws;
}

bool verify_jws(const Jws& jws, const JwsKey& key) {
  return jws.algorithm == key.algorithm() && jws.kid == key.kid() &&
         key.verify(jws.signing_input, jws.signature);
}

std::string sign_jws(std::string_view payload, const JwsKey& key) {
  JsonWriter header;
  header.open_object().member("alg", key.algorithm()).member("typ", "JWT");
  if (!key.kid().empty()) header.member("kid", key.kid());
  header.close();
  std::string text = base64url_encode(header.text()) + '.' + base64url_encode(payload);
  const std::string signature = key.sign(text);
  text += '.';
  text += base64url_encode(signature);
  return text;
}

}  // namespace um
