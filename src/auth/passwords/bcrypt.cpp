#include "auth/passwords/bcrypt.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <crypt.h>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "base/random.hpp"

namespace um::bcrypt {
namespace {

constexpr std::size_t kHashBytes = 60;     // the whole text
constexpr std::size_t kSettingBytes = 29;  // "$2b$10$" and 22 characters of salt
constexpr std::size_t kSaltBytes = 16;

bool is_alphabet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '.' && c <= '9');
}

// 32 KiB, so not on the stack of a coroutine; wiped because it holds key material.
struct WipeAndFree {
  void operator()(crypt_data* data) const {
    OPENSSL_cleanse(data, sizeof *data);
    delete data;  // NOLINT(cppcoreguidelines-owning-memory)
  }
};

Result<Secret> compute(std::string_view password, const std::string& setting) {
  std::array<char, kMaxPasswordBytes + 1> phrase{};
  password.copy(phrase.data(), kMaxPasswordBytes);
  const std::unique_ptr<crypt_data, WipeAndFree> data{new crypt_data{}};
  const char* result = crypt_r(phrase.data(), setting.c_str(), data.get());
  OPENSSL_cleanse(phrase.data(), phrase.size());
  if (result == nullptr || result[0] == '*' || std::strlen(result) != kHashBytes) {
    return fail(ErrorCode::internal, "bcrypt failed");
  }
  return Secret{result};
}

// The settings of "$2a$", "$2b$" and "$2y$" under the one name of the correct algorithm.
std::string setting_of(std::string_view hash) {
  std::string setting{hash.substr(0, kSettingBytes)};
  setting[2] = 'b';
  return setting;
}

}  // namespace

std::optional<int> supported_cost(std::string_view hash) {
  if (hash.size() != kHashBytes || !hash.starts_with("$2") || hash[3] != '$' || hash[6] != '$') {
    return std::nullopt;
  }
  if (hash[2] != 'a' && hash[2] != 'b' && hash[2] != 'y') return std::nullopt;
  if (hash[4] < '0' || hash[4] > '9' || hash[5] < '0' || hash[5] > '9') return std::nullopt;
  if (!std::ranges::all_of(hash.substr(7), is_alphabet)) return std::nullopt;
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < kMinCost || cost > kMaxCost) return std::nullopt;
  return cost;
}

Result<Secret> hash(const Secret& password, int cost) {
  const std::string_view text = password.reveal();
  if (text.empty() || text.size() > kMaxPasswordBytes || text.contains('\0')) {
    return fail(ErrorCode::invalid,
                fmt::format("a password has 1 to {} bytes and no NUL", kMaxPasswordBytes));
  }
  if (cost < kMinCost || cost > kMaxCost) {
    return fail(ErrorCode::invalid, "the bcrypt cost is out of range");
  }
  std::array<char, kSaltBytes> salt{};
  fill_random(std::as_writable_bytes(std::span{salt}));
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost), salt.data(),
                       static_cast<int>(salt.size()), setting.data(),
                       static_cast<int>(setting.size())) == nullptr) {
    return fail(ErrorCode::internal, "making a salt failed");
  }
  return compute(text, setting.data());
}

bool verify(const Secret& password, const Secret& hash) {
  const std::string_view stored = hash.reveal();
  if (!supported_cost(stored)) return false;
  const std::string_view text = password.reveal();
  const auto computed = compute(text, setting_of(stored));
  if (!computed) return false;
  // The salt is not compared: its last character has unused bits, which libxcrypt clears.
  const std::string_view ours = computed->reveal().substr(kSettingBytes);
  const bool same =
      CRYPTO_memcmp(ours.data(), stored.substr(kSettingBytes).data(), ours.size()) == 0;
  return same && !text.contains('\0');
}

Secret unmatchable(int cost) {
  const int bounded = std::clamp(cost, kMinCost, kMaxCost);
  std::string text = "$2b$";
  text += static_cast<char>('0' + bounded / 10);
  text += static_cast<char>('0' + bounded % 10);
  text += '$';
  text += random_hex(26);
  return Secret{text + '/'};
}

}  // namespace um::bcrypt
