#include "auth/tokens/hs256_secret.hpp"

#include <algorithm>
#include <bitset>

#include "auth/tokens/jws_key.hpp"
#include "user/email.hpp"

namespace um {
namespace {

// Placeholders from documentation and example programs; what remains of a secret when they are
// taken out must still be long enough to be one.
constexpr std::array<std::string_view, 30> kWellKnown{"a-string-secret-at-least-256-bits-long",
                                                      "your-256-bit-secret",
                                                      "your-384-bit-secret",
                                                      "your-512-bit-secret",
                                                      "your-secret-key",
                                                      "your_secret_key",
                                                      "your-jwt-secret",
                                                      "your_jwt_secret",
                                                      "my-secret-key",
                                                      "my_secret_key",
                                                      "super-secret",
                                                      "super_secret",
                                                      "supersecret",
                                                      "secret-key",
                                                      "secret_key",
                                                      "secretkey",
                                                      "jwt-secret",
                                                      "jwt_secret",
                                                      "jwtsecret",
                                                      "change-me",
                                                      "change_me",
                                                      "changethis",
                                                      "changeme",
                                                      "password",
                                                      "example",
                                                      "secret",
                                                      "default",
                                                      "development",
                                                      "qwertyuiop",
                                                      "1234567890"};
constexpr std::size_t kMinDistinct = 8;

std::size_t distinct_bytes(std::string_view text) {
  std::bitset<256> seen;
  for (const char c : text) seen.set(static_cast<unsigned char>(c));
  return seen.count();
}

// Is it a shorter piece, said at least twice (the last time perhaps not to its end)?
bool repeats(std::string_view text) {
  for (std::size_t period = 1; period * 2 <= text.size(); ++period) {
    if (text.substr(period) == text.substr(0, text.size() - period)) return true;
  }
  return false;
}

// Does nearly every byte follow from the one before it, as in abcdef… or 0123456789012345…?
bool runs(std::string_view text) {
  std::size_t steps = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const int step = text[i] - text[i - 1];
    if (step >= -1 && step <= 1) ++steps;
  }
  return steps * 4 >= (text.size() - 1) * 3;
}

std::size_t length_without_well_known(std::string_view secret) {
  std::string text = fold_ascii(secret);
  for (const std::string_view known : kWellKnown) {
    for (auto at = text.find(known); at != std::string::npos; at = text.find(known)) {
      text.erase(at, known.size());
    }
  }
  const std::size_t length = text.size();
  OPENSSL_cleanse(text.data(), text.size());
  return length;
}

}  // namespace

Result<Secret> read_hs256_secret(const Secret& file) {
  std::string_view text = file.reveal();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.size() < JwsKey::kMinSecretBytes) {
    return fail(ErrorCode::invalid, "the HS256 secret is shorter than 32 bytes");
  }
  if (distinct_bytes(text) < kMinDistinct || repeats(text) || runs(text)) {
    return fail(ErrorCode::invalid, "the HS256 secret is a simple pattern");
  }
  if (length_without_well_known(text) < JwsKey::kMinSecretBytes) {
    return fail(ErrorCode::invalid, "the HS256 secret is a well-known one");
  }
  return Secret{std::string{text}};
}

}  // namespace um
