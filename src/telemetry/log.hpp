// Logger: lines with a message and named values, for people or as JSON.
//
// The message is a constant of the program; values that vary go into fields. Both are escaped when
// the line is made, so no value can end the line or look like another field. A Secret cannot be a
// value: there is no conversion. Thread safety: any thread; writing does not block and does not
// wait for the output.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/log_options.hpp"

namespace um {

// Refers to text that outlives the call.
using LogValue = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

struct LogField {
  // Texts, numbers and truth values; nothing else converts.
  template <class T>
    requires std::convertible_to<const T&, std::string_view>
  LogField(std::string_view name, const T& text) : key{name}, value{std::string_view{text}} {}
  template <class T>
    requires std::is_arithmetic_v<T>
  LogField(std::string_view name, T number) : key{name}, value{widen(number)} {}

  std::string_view key;
  LogValue value;

 private:
  template <class T>
  static LogValue widen(T number) {
    if constexpr (std::same_as<T, bool>) {
      return number;
    } else if constexpr (std::floating_point<T>) {
      return static_cast<double>(number);
    } else if constexpr (std::signed_integral<T>) {
      return static_cast<std::int64_t>(number);
    } else {
      return static_cast<std::uint64_t>(number);
    }
  }
};
using LogFields = std::initializer_list<LogField>;

class Logger {
 public:
  virtual ~Logger() = default;

  // Whether a line of this level would be written: a caller asks before it prepares expensive
  // fields.
  virtual bool enabled(LogLevel level) const = 0;
  virtual void write(LogLevel level, std::string_view message,
                     std::span<const LogField> fields) = 0;
  // Lines lost since the start because the output was too slow.
  virtual std::uint64_t dropped() const { return 0; }

  // log.info("listening", {{"address", text}, {"threads", 4}});
  void debug(std::string_view message, LogFields fields = {}) {
    at(LogLevel::debug, message, fields);
  }
  void info(std::string_view message, LogFields fields = {}) {
    at(LogLevel::info, message, fields);
  }
  void warn(std::string_view message, LogFields fields = {}) {
    at(LogLevel::warn, message, fields);
  }
  void error(std::string_view message, LogFields fields = {}) {
    at(LogLevel::error, message, fields);
  }

 private:
  void at(LogLevel level, std::string_view message, LogFields fields) {
    if (enabled(level)) write(level, message, std::span{fields.begin(), fields.size()});
  }
};

// Writes nothing; for tests and for parts without a logger.
class NullLogger final : public Logger {
 public:
  bool enabled(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

// The error's code, detail and rejected fields as one text: "email_taken: …".
std::string describe(const Error& error);

}  // namespace um
