// CacheKey: names one thing for which reads and writes are promised to be consistent.
//   user:<id>   email:<folded address>   session:<sid>
// The same bytes name it in L1, in `user_changes` and in Redis. `user_changes` has one more key,
// kSigningKeysChange, for the signing keys, which every instance keeps in memory without the cache.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "user/email.hpp"
#include "user/session.hpp"
#include "user/user_id.hpp"

namespace um {

inline constexpr std::string_view kSigningKeysChange = "signing_keys";

// Lives on the stack, so a look-up does not allocate. Containers hold std::string instead.
class CacheKey {
 public:
  static CacheKey of(UserId id) {
    CacheKey key{"user:"};
    auto* end = std::to_chars(key.text_ + key.size_, key.text_ + sizeof key.text_, id.value()).ptr;
    key.size_ = static_cast<std::size_t>(end - key.text_);
    return key;
  }
  static CacheKey of(const Email& email) { return CacheKey{"email:"}.append(email.folded()); }
  static CacheKey of(const SessionId& id) { return CacheKey{"session:"}.append(id.text()); }

  std::string_view view() const { return {text_, size_}; }
  std::string str() const { return std::string{view()}; }

 private:
  explicit CacheKey(std::string_view prefix) : size_{prefix.copy(text_, sizeof text_)} {}
  CacheKey& append(std::string_view part) {
    size_ += part.copy(text_ + size_, sizeof text_ - size_);
    return *this;
  }
  char text_[8 + Email::kMaxBytes];
  std::size_t size_;
};

}  // namespace um
