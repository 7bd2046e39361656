#include "telemetry/logging.hpp"

#include <cmath>
#include <condition_variable>
#include <thread>

#include <gtest/gtest.h>

#include "base/secret.hpp"

namespace um {
namespace {

std::string line(LogFormat format, std::string_view message, LogFields fields) {
  const WallTime time = std::chrono::sys_days{std::chrono::January / 2 / 2026} +
                        std::chrono::hours{3} + std::chrono::microseconds{4567};
  return format_log_line(
      {.time = time, .message = message, .fields = std::span{fields.begin(), fields.size()}},
      format);
}

TEST(LogLine, IsReadableAsText) {
  EXPECT_EQ(line(LogFormat::text, "listening",
                 {{"address", "127.0.0.1:80"},
                  {"note", "two words"},
                  {"empty", ""},
                  {"n", -3},
                  {"u", std::uint64_t{18446744073709551615U}},
                  {"f", 0.5},
                  {"b", true}}),
            "2026-01-02T03:00:00.004567Z info  listening address=127.0.0.1:80 note=\"two words\" "
            "empty=\"\" n=-3 u=18446744073709551615 f=0.5 b=true");
}

TEST(LogLine, IsAnObjectAsJson) {
  EXPECT_EQ(
      line(LogFormat::json, "listening", {{"address", "127.0.0.1:80"}, {"n", 3}, {"b", false}}),
      R"({"time":"2026-01-02T03:00:00.004567Z","level":"info","message":"listening",)"
      R"("address":"127.0.0.1:80","n":3,"b":false})");
}

TEST(LogLine, NoValueCanEndTheLine) {
  const std::string hostile = "x\n2026-01-02T03:00:00.000000Z info  forged\r\n\x1b[2J\xe2\x80\xa8";
  for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
    const std::string text = line(format, hostile, {{"request_id", hostile}, {hostile, 1}});
    for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20U) << text;
    EXPECT_EQ(text.find("\xe2\x80\xa8"), std::string::npos);
  }
}

TEST(LogLine, NoValueCanForgeAField) {
  EXPECT_EQ(line(LogFormat::text, "m", {{"id", "a user=1"}}),
            "2026-01-02T03:00:00.004567Z info  m id=\"a user=1\"");
  EXPECT_EQ(line(LogFormat::text, "m", {{"id", "a\" user=\"1"}}),
            "2026-01-02T03:00:00.004567Z info  m id=\"a\\\" user=\\\"1\"");
  EXPECT_EQ(line(LogFormat::json, "m", {{"id", "a\",\"user\":\"1"}}),
            R"({"time":"2026-01-02T03:00:00.004567Z","level":"info","message":"m",)"
            R"("id":"a\",\"user\":\"1"})");
}

TEST(LogLine, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_NE(line(LogFormat::json, "m", {{"id", "\xff"}}).find(R"("id":"\ufffd")"),
            std::string::npos);
  EXPECT_NE(line(LogFormat::text, "m", {{"id", "\xff"}}).find(R"(id="\xff")"), std::string::npos);
}

TEST(LogLine, NumbersThatJsonHasNotAreNull) {
  EXPECT_NE(line(LogFormat::json, "m", {{"x", 0.0 / 1.0 - HUGE_VAL}}).find(R"("x":null)"),
            std::string::npos);
}

TEST(LogLine, LongValuesAreCut) {
  EXPECT_LT(line(LogFormat::json, "m", {{"id", std::string(100'000, 'a')}}).size(), 4300U);
}

TEST(LogField, TakesNoSecret) {
  static_assert(!std::constructible_from<LogField, std::string_view, Secret>);
  static_assert(!std::constructible_from<LogField, std::string_view, const void*>);
  static_assert(std::constructible_from<LogField, std::string_view, std::string>);
}

TEST(Describe, NamesTheCodeAndTheFields) {
  EXPECT_EQ(describe(Error{.code = ErrorCode::invalid,
                           .detail = "bad",
                           .fields = {{.field = "email", .code = "x", .message = "is wrong"}}}),
            "invalid: bad; email: is wrong");
}

// A FILE with writes that wait until the gate opens.
class GatedFile {
 public:
  GatedFile() {
    const cookie_io_functions_t functions{
        .read = nullptr, .write = &write, .seek = nullptr, .close = nullptr};
    file_ = ::fopencookie(this, "w", functions);
  }
  ~GatedFile() { std::fclose(file_); }
  GatedFile(const GatedFile&) = delete;
  GatedFile& operator=(const GatedFile&) = delete;
  std::FILE* file() { return file_; }
  void open() {
    const std::lock_guard lock{mutex_};
    is_open_ = true;
    opened_.notify_all();
  }
  void wait_for_a_write() {
    std::unique_lock lock{mutex_};
    opened_.wait(lock, [&] { return writing_; });
  }
  std::string text() {
    const std::lock_guard lock{mutex_};
    return text_;
  }

 private:
  static ssize_t write(void* self, const char* data, std::size_t size) {
    auto& file = *static_cast<GatedFile*>(self);
    std::unique_lock lock{file.mutex_};
    file.writing_ = true;
    file.opened_.notify_all();
    file.opened_.wait(lock, [&] { return file.is_open_; });
    file.text_.append(data, size);
    return static_cast<ssize_t>(size);
  }

  std::FILE* file_ = nullptr;
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
  bool writing_ = false;
  std::string text_;
};

TEST(Logger, WritesTheLinesOfItsLevelInOrder) {
  GatedFile out;
  out.open();
  const ManualClock clock;
  {
    const auto log = make_logger({.level = LogLevel::warn, .output = out.file()}, clock);
    EXPECT_FALSE(log->enabled(LogLevel::info));
    log->info("not this");
    log->warn("first", {{"n", 1}});
    log->error("second {}", {{"n", 2}});
  }
  EXPECT_EQ(out.text(),
            "2023-11-14T22:13:21.000000Z warn  first n=1\n"
            "2023-11-14T22:13:21.000000Z error second {} n=2\n");
}

TEST(Logger, DropsTheOldestLinesAndCountsThemWhenTheOutputStandsStill) {
  GatedFile out;
  const ManualClock clock;
  {
    const auto log = make_logger({.queue_lines = 4, .output = out.file()}, clock);
    log->info("line", {{"n", -1}});
    out.wait_for_a_write();
    for (int i = 0; i < 100; ++i) log->info("line", {{"n", i}});
    EXPECT_EQ(log->dropped(), 96U);
    out.open();
  }
  EXPECT_EQ(out.text().find(" n=95\n"), std::string::npos);
  for (const char* kept : {" n=-1\n", " n=96\n", " n=97\n", " n=98\n", " n=99\n"}) {
    EXPECT_NE(out.text().find(kept), std::string::npos) << kept;
  }
}

}  // namespace
}  // namespace um
