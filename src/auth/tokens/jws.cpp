#include "auth/tokens/jws.hpp"

#include "auth/tokens/base64url.hpp"
#include "auth/tokens/flat_json.hpp"

namespace um {
namespace {

bool read_header(std::string_view text, Jws& jws) {
  const auto header = FlatJson::parse(text);
  if (!header) return false;
  for (const auto& member : header->members()) {
    const auto* value = std::get_if<std::string>(&member.value);
    if (value == nullptr || value->empty()) return false;
    if (member.name == "alg") {
      jws.algorithm = *value;
    } else if (member.name == "kid") {
      jws.kid = *value;
    } else if (member.name != "typ" || *value != "JWT") {
      return false;
    }
  }
  return !jws.algorithm.empty();
}

}  // namespace

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
  std::string header = R"({"alg":)" + json_quoted(key.algorithm()) + R"(,"typ":"JWT")";
  if (!key.kid().empty()) header += R"(,"kid":)" + json_quoted(key.kid());
  header += '}';
  std::string text = base64url_encode(header) + '.' + base64url_encode(payload);
  const std::string signature = key.sign(text);
  text += '.';
  text += base64url_encode(signature);
  return text;
}

}  // namespace um
