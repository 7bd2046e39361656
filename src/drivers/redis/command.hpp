// Command: one command as it goes over the wire. Arguments are any bytes; nothing is parsed, so
// nothing can be injected.
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

// A Lua script with the name under which the server remembers it (EVALSHA). Immutable.
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
