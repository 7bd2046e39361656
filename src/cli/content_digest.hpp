// ContentDigest: SHA-256 (FIPS 180-4) of bytes that come piece by piece, readable in between.
// Not thread-safe. Throws std::runtime_error if OpenSSL cannot.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace um {

class ContentDigest {
 public:
  ContentDigest();
  void add(std::string_view bytes);
  // Of what was added so far, as 64 lower-case hexadecimal digits.
  std::string hex() const;

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace um
