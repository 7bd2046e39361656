#include "telemetry/logging.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include "telemetry/log_line.hpp"

namespace um {
namespace {

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

std::unique_ptr<Logger> make_logger(LoggingOptions options, const Clock& clock) {
  return std::make_unique<AsyncLogger>(options, clock);
}

}  // namespace um
