#include "auth/tokens/jws_key.hpp"

#include <array>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/hmac.hpp"
#include "user/email.hpp"

namespace um {
namespace {

constexpr std::size_t kEd25519KeyBytes = 32;
constexpr std::size_t kEd25519SignatureBytes = 64;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;
using ContextHandle = std::unique_ptr<EVP_MD_CTX, FreeContext>;

class Ed25519Key final : public JwsKey {
 public:
  struct Parts {
    std::string kid;
    KeyHandle public_key;
    KeyHandle private_key;  // may be null
  };
  explicit Ed25519Key(Parts parts)
      : JwsKey{std::move(parts.kid)},
        public_key_{std::move(parts.public_key)},
        private_key_{std::move(parts.private_key)} {}

  std::string_view algorithm() const override { return "EdDSA"; }
  bool can_sign() const override { return private_key_ != nullptr; }

  std::string sign(std::string_view input) const override {
    const ContextHandle context{EVP_MD_CTX_new()};
    std::string signature(kEd25519SignatureBytes, '\0');
    std::size_t size = signature.size();
    if (!context || !private_key_ ||
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, private_key_.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       bytes(input), input.size()) != 1) {
      throw std::runtime_error("signing failed");
    }
    return signature;
  }

  bool verify(std::string_view input, std::string_view signature) const override {
    if (signature.size() != kEd25519SignatureBytes) return false;
    const ContextHandle context{EVP_MD_CTX_new()};
    return context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, public_key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(input),
                            input.size()) == 1;
  }

 private:
  KeyHandle public_key_;
  KeyHandle private_key_;
};

class Hs256Key final : public JwsKey {
 public:
  explicit Hs256Key(Hs256 key) : JwsKey{std::move(key.kid)}, secret_{std::move(key.secret)} {}

  std::string_view algorithm() const override { return "HS256"; }
  bool can_sign() const override { return true; }
  std::string sign(std::string_view input) const override {
    return hmac_sha256({.key = secret_.reveal(), .text = input});
  }
  bool verify(std::string_view input, std::string_view signature) const override {
    const std::string expected = sign(input);
    return signature.size() == expected.size() &&
           CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
  }

 private:
  Secret secret_;
};

bool belong_together(EVP_PKEY* private_key, std::string_view public_key) {
  std::array<unsigned char, kEd25519KeyBytes> derived{};
  std::size_t size = derived.size();
  return EVP_PKEY_get_raw_public_key(private_key, derived.data(), &size) == 1 &&
         size == public_key.size() && CRYPTO_memcmp(derived.data(), public_key.data(), size) == 0;
}

// Placeholders from documentation and example programs.
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

std::shared_ptr<const JwsKey> JwsKey::ed25519(const SigningKey& key) {
  if (key.public_key.size() != kEd25519KeyBytes) return nullptr;
  KeyHandle public_key{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(key.public_key),
                                                   kEd25519KeyBytes)};
  if (!public_key) return nullptr;
  KeyHandle private_key;
  if (!key.private_key.empty()) {
    const std::string_view secret = key.private_key.reveal();
    if (secret.size() != kEd25519KeyBytes) return nullptr;
    private_key.reset(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(secret), secret.size()));
    if (!private_key || !belong_together(private_key.get(), key.public_key)) return nullptr;
  }
  return std::make_shared<Ed25519Key>(Ed25519Key::Parts{
      .kid = key.kid, .public_key = std::move(public_key), .private_key = std::move(private_key)});
}

std::shared_ptr<const JwsKey> JwsKey::hs256(Hs256 key) {
  if (key.secret.reveal().size() < kMinSecretBytes) return nullptr;
  return std::make_shared<Hs256Key>(std::move(key));
}

Result<Secret> read_hs256_secret(const Secret& file) {
  std::string_view text = file.reveal();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.size() < JwsKey::kMinSecretBytes) {
    return fail(ErrorCode::invalid,
                fmt::format("the HS256 secret is shorter than {} bytes", JwsKey::kMinSecretBytes));
  }
  if (length_without_well_known(text) < JwsKey::kMinSecretBytes) {
    return fail(ErrorCode::invalid, "the HS256 secret is a well-known one");
  }
  return Secret{std::string{text}};
}

}  // namespace um
