// Cache keys: the things whose reads and writes are promised to be consistent, one by one.
//   user:<id>   email:<folded address>   session:<sid>
// The same bytes name them in memory, in `user_changes` and in Redis. In `user_changes` there is
// one more, for what every instance has in its memory by other ways: the signing keys.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "user/email.hpp"
#include "user/session.hpp"
#include "user/user_id.hpp"

namespace um {

inline constexpr std::string_view kSigningKeysChange = "signing_keys";

// A key on the stack: looking something up does not allocate. Copies are cheap enough to pass by
// value only where they are short-lived; containers hold std::string.
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
