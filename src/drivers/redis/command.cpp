#include "drivers/redis/command.hpp"

#include <array>
#include <memory>
#include <new>
#include <vector>

#include <hiredis/hiredis.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace um::redis {
namespace {

std::string formatted(std::span<const std::string_view> words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* bytes = nullptr;
  const int size =
      ::redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc{};
  std::string copy{bytes, static_cast<std::size_t>(size)};
  ::OPENSSL_cleanse(bytes, static_cast<std::size_t>(size));  // it may have been AUTH
  ::redisFreeCommand(bytes);
  return copy;
}

}  // namespace

Command::Command(std::initializer_list<std::string_view> words)
    : bytes_{formatted({words.begin(), words.size()})} {}
Command::Command(std::span<const std::string_view> words) : bytes_{formatted(words)} {}

Script::Script(std::string text) : text_{std::move(text)} {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (::EVP_Digest(text_.data(), text_.size(), digest.data(), &size, ::EVP_sha1(), nullptr) != 1)
    throw std::bad_alloc{};
  for (unsigned i = 0; i < size; ++i) {
    sha1_ += kHex[digest.at(i) >> 4U];
    sha1_ += kHex[digest.at(i) & 0xFU];
  }
}

}  // namespace um::redis
