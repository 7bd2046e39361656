// ImportRun: one run over a file: reads it, inserts batch by batch, and records after each batch
// how far it came. Not thread-safe.
#pragma once

#include <iosfwd>

#include "cli/command.hpp"
#include "cli/content_digest.hpp"
#include "cli/import_batch.hpp"
#include "cli/import_state.hpp"
#include "cli/progress.hpp"

namespace um {

struct ImportOptions {
  std::string file;
  std::optional<std::string> format{};
  bool dry_run = false;
  bool resume = false;
};

struct ImportTotals {
  std::uint64_t imported = 0;
  std::uint64_t failed = 0;
  std::uint64_t already_there = 0;
  std::int64_t last_line = 0;
  bool interrupted = false;  // between two batches: everything up to last_line is done
};

class ImportRun {
 public:
  struct Parts {
    const Context& context;
    UserStore& users;
    Interrupts* interrupts;  // may be null
    const ImportOptions& options;
  };
  // Lines up to start.line were done by an earlier run. The parts outlive it.
  ImportRun(Parts parts, ImportState start);

  // What goes wrong with single lines is written to standard error and counted; an error is about
  // the whole: the file cannot be read or understood, or the database does not answer.
  Result<ImportTotals> read(std::istream& in, ImportReader& reader);

 private:
  Result<void> take_lines(ImportReader& reader);
  Result<void> insert();
  void report(const BatchResult& result);
  void record();
  Error stopped(const Error& error);

  Parts parts_;
  ImportStateFile state_file_;
  ImportState state_;
  ImportBatch batch_;
  Progress progress_;
  ImportTotals totals_;
  std::uint64_t bytes_read_ = 0;
  ContentDigest digest_;  // of them
  bool warned_ = false;   // that the state cannot be recorded
};

}  // namespace um
