#include "cli/content_digest.hpp"

#include <array>
#include <stdexcept>

#include <fmt/format.h>

namespace um {
namespace {

void require(bool done) {
  if (!done) throw std::runtime_error{"SHA-256 failed"};
}

}  // namespace

ContentDigest::ContentDigest() : context_{EVP_MD_CTX_new()} {
  require(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void ContentDigest::add(std::string_view bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string ContentDigest::hex() const {
  // A copy is finished, so that this one can go on.
  const std::unique_ptr<EVP_MD_CTX, Free> copy{EVP_MD_CTX_new()};
  std::array<unsigned char, 32> digest{};
  require(copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), context_.get()) == 1 &&
          EVP_DigestFinal_ex(copy.get(), digest.data(), nullptr) == 1);
  std::string out;
  for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace um
