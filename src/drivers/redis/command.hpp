// Command: one command in its wire format. Arguments are any bytes and are never parsed, so nothing
// can be injected. Thread safety: a value.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace um::redis {

class Command {
 public:
  // REQUIRES: at least one word. Throws std::bad_alloc.
  Command(std::initializer_list<std::string_view> words);
  explicit Command(std::span<const std::string_view> words);

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// A Lua script and the digest by which the server finds it again (EVALSHA). Immutable.
class Script {
 public:
  explicit Script(std::string text);
  const std::string& text() const { return text_; }
  const std::string& sha1() const { return sha1_; }  // 40 hex digits

 private:
  std::string text_;
  std::string sha1_;
};

}  // namespace um::redis
