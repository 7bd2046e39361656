#include "telemetry/logging.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include "base/printable.hpp"

namespace um {
namespace {

// RFC 3339 in UTC, always with six decimals, so that lines sort as text.
std::string time_text(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string json_string(std::string_view text) {
  return fmt::format("\"{}\"", printable(text, {.escapes = Escapes::json}));
}

// Quoted unless it is one plain word.
std::string text_value(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"-._:/@+"}.find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.size() < 256 && std::ranges::all_of(text, plain))
    return std::string{text};
  return fmt::format("\"{}\"", printable(text));
}

std::string number_text(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";  // JSON has no other
}

std::string value_text(const LogValue& value, LogFormat format) {
  const auto write = [format](const auto& v) -> std::string {
    using V = std::decay_t<decltype(v)>;
    if constexpr (std::is_same_v<V, std::string_view>) {
      return format == LogFormat::json ? json_string(v) : text_value(v);
    } else if constexpr (std::is_same_v<V, double>) {
      return number_text(v);
    } else {
      return fmt::format("{}", v);
    }
  };
  return std::visit(write, value);
}

// Hands finished lines to a FILE; spdlog's own file sinks open files by name or own stdout.
class FileSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit FileSink(std::FILE* output) : output_{output} {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::fwrite(message.payload.data(), 1, message.payload.size(), output_);
    std::fflush(output_);
  }
  void flush_() override { std::fflush(output_); }

  std::FILE* output_;
};

class AsyncLogger final : public Logger {
 public:
  AsyncLogger(const LoggingOptions& options, const Clock& clock)
      : options_{options},
        clock_{clock},
        pool_{std::make_shared<spdlog::details::thread_pool>(options.queue_lines, 1)},
        logger_{std::make_shared<spdlog::async_logger>(
            "", std::make_shared<FileSink>(options.output), pool_,
            spdlog::async_overflow_policy::overrun_oldest)} {
    logger_->set_level(spdlog::level::trace);  // enabled() has decided already
  }

  bool enabled(LogLevel level) const override { return level >= options_.level; }

  void write(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    std::string line = format_log_line(
        {.time = clock_.wall_now(), .level = level, .message = message, .fields = fields},
        options_.format);
    line += '\n';
    logger_->log(spdlog::level::info, spdlog::string_view_t{line.data(), line.size()});
  }

  std::uint64_t dropped() const override { return pool_->overrun_counter(); }

 private:
  LoggingOptions options_;
  const Clock& clock_;
  // The pool's destructor writes what is waiting and joins; the logger goes first.
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

std::string format_log_line(const LogLine& line, LogFormat format) {
  const std::string time = time_text(line.time);
  std::string out;
  if (format == LogFormat::json) {
    out = fmt::format(R"({{"time":"{}","level":"{}","message":{})", time, to_string(line.level),
                      json_string(line.message));
    for (const LogField& field : line.fields) {
      out += fmt::format(",{}:{}", json_string(field.key), value_text(field.value, format));
    }
    return out += '}';
  }
  out = fmt::format("{} {:<5} {}", time, to_string(line.level), printable(line.message));
  for (const LogField& field : line.fields) {
    out += fmt::format(" {}={}", printable(field.key), value_text(field.value, format));
  }
  return out;
}

std::string describe(const Error& error) {
  std::string out{to_string(error.code)};
  if (!error.detail.empty()) out += ": " + error.detail;
  for (const FieldError& field : error.fields)
    out += fmt::format("; {}: {}", field.field, field.message);
  return out;
}

std::unique_ptr<Logger> make_logger(LoggingOptions options, const Clock& clock) {
  return std::make_unique<AsyncLogger>(options, clock);
}

}  // namespace um
