#include "base/hmac.hpp"

#include <array>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace um {

std::string hmac_sha256(HmacInput input) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters as OpenSSL takes them
  const auto* text = reinterpret_cast<const unsigned char*>(input.text.data());
  // OpenSSL takes a null key for "the previous one", so an empty key needs an address.
  const char* const key = input.key.empty() ? "" : input.key.data();
  const auto* done = ::HMAC(::EVP_sha256(), key, static_cast<int>(input.key.size()), text,
                            input.text.size(), digest.data(), &size);
  if (done == nullptr) throw std::runtime_error("HMAC failed");
  return {digest.begin(), digest.begin() + size};
}

}  // namespace um
