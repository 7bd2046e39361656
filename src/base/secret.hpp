// Secret: bytes that cannot be printed, logged, compared in variable time or left behind in memory.
//
// There is no operator<<, no formatter and no conversion to a string; `reveal()` is the only way
// to the bytes and easy to search for. The memory is wiped on destruction, also of moved-from
// objects.
//
// Thread safety: that of a std::string. reveal() is valid until the Secret changes or ends.
#pragma once

#include <string>
#include <string_view>

#include <openssl/crypto.h>

namespace um {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_{std::move(bytes)} {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      bytes_ = other.bytes_;
    }
    return *this;
  }
  Secret(Secret&& other) noexcept : bytes_{std::move(other.bytes_)} { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = std::move(other.bytes_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  std::string_view reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

  // Takes the same time wherever the first difference is (the lengths are not hidden).
  friend bool operator==(const Secret& a, const Secret& b) {
    return a.bytes_.size() == b.bytes_.size() &&
           CRYPTO_memcmp(a.bytes_.data(), b.bytes_.data(), a.bytes_.size()) == 0;
  }

 private:
  void wipe() {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
    bytes_.clear();
  }
  std::string bytes_;
};

}  // namespace um
