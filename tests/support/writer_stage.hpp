// WriterStage: for tests of the SQLite writer. A database with one table, a writer, and an observer
// that records its calls.
#pragma once

#include <mutex>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/sqlite/job_queue.hpp"
#include "drivers/sqlite/testing/fault_vfs.hpp"
#include "drivers/sqlite/writer.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace um::sqlite {

class NotingObserver final : public WriteObserver {
 public:
  void opened(Connection&) override { note("opened"); }
  void begun(Connection&) override {}
  void committing(Connection&, std::span<const std::string> keys) override { note("hold", keys); }
  void committed(std::span<const std::string> keys) override { note("settle", keys); }
  void rolled_back(std::span<const std::string> keys) override { note("release", keys); }
  void outcome_unknown(std::span<const std::string> keys) override { note("unknown", keys); }
  void tick(Connection&) override { ++ticks; }
  void tick_in_transaction() override { ++ticks_in_transaction; }

  std::vector<std::string> take() {
    const std::scoped_lock lock{mutex_};
    return std::exchange(notes_, {});
  }
  std::atomic<int> ticks{0};
  std::atomic<int> ticks_in_transaction{0};

 private:
  void note(std::string what, std::span<const std::string> keys = {}) {
    for (const std::string& key : keys) what += " " + key;
    const std::scoped_lock lock{mutex_};
    notes_.push_back(std::move(what));
  }
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

class WriterStage : public ::testing::Test {
 protected:
  static constexpr Query kInsert{"insert", "INSERT INTO t VALUES (?1)"};

  WriterStage() {
    Connection{{.file = file_}}.execute(
        "PRAGMA journal_mode = WAL; CREATE TABLE t (text TEXT UNIQUE)");
    start();
  }
  ~WriterStage() override { stop(); }

  void start() {
    writer_ = std::make_unique<Writer>(Writer::Options{
        .connection = {.file = file_, .mode = Connection::Mode::read_write, .vfs = vfs_.name()},
        .tick_interval = std::chrono::milliseconds{1},
        .clock = &clock_,
        .observer = &observer_,
        .on_deadline = [this](Deadline deadline) { watch_.on_deadline(deadline); },
        .log = [this](std::string_view line) { log(line); }});
    watch_.watch(writer_->queue());
    watch_.start();
    writer_->start();
    observer_.take();
  }
  void stop() {
    writer_->stop();
    watch_.stop();
  }

  Task<Result<int>> insert(std::string text, Deadline deadline = {}) {
    return writer_->run<int>(deadline, [text](Transaction& tx) -> Result<int> {
      tx.touch(text);
      tx.db().run(kInsert, text).finish();
      return 1;
    });
  }
  // Keeps the writer busy until release(), so that writes pushed meanwhile become one group.
  Task<Result<int>> hold_up() {
    return writer_->run<int>({}, [this](Transaction&) -> Result<int> {
      begun_ = true;
      begun_.notify_all();
      released_.wait(false);
      return 0;
    });
  }
  // Runs all of them in one group.
  std::vector<Result<int>> together(std::vector<Task<Result<int>>> tasks) {
    std::thread blocking{[this] { EXPECT_TRUE(test::run(hold_up())); }};
    begun_.wait(false);
    const std::size_t wanted = tasks.size();
    std::thread releasing{[this, wanted] {
      while (writer_->queue().size() < wanted) std::this_thread::yield();
      released_ = true;
      released_.notify_all();
    }};
    auto answers = test::run_all(std::move(tasks));
    releasing.join();
    blocking.join();
    begun_ = false;
    released_ = false;
    return answers;
  }

  // Waits for so many more ticks.
  void tick(int more) {
    for (const int before = observer_.ticks; observer_.ticks < before + more;) {
      clock_.advance(std::chrono::milliseconds{1});
      std::this_thread::yield();
    }
  }

  std::int64_t rows() {
    Connection db{{.file = file_, .mode = Connection::Mode::read_only}};
    return db.integer("SELECT count(*) FROM t");
  }
  std::vector<std::string> lines() {
    const std::scoped_lock lock{log_mutex_};
    return lines_;
  }
  void log(std::string_view line) {
    const std::scoped_lock lock{log_mutex_};
    lines_.emplace_back(line);
  }

  const test::TempDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "t.db";
  ManualClock clock_;
  FaultVfs vfs_;
  NotingObserver observer_;
  DeadlineWatch watch_{clock_};
  std::unique_ptr<Writer> writer_;

 private:
  std::atomic<bool> begun_{false};
  std::atomic<bool> released_{false};
  std::mutex log_mutex_;
  std::vector<std::string> lines_;
};

}  // namespace um::sqlite
