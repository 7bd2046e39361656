#include "cli/import_run.hpp"

#include <algorithm>
#include <istream>
#include <ostream>

#include "cli/messages.hpp"
#include "cli/user_actions.hpp"

namespace um {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;

}  // namespace

ImportRun::ImportRun(Parts parts, ImportState start)
    : parts_{parts},
      state_file_{parts.options.file},
      state_{std::move(start)},
      batch_{{.rehearse = parts.options.dry_run,
              .skip_existing = parts.options.resume,
              .password_cost = parts.context.config.password_cost,
              .threads = parts.context.config.threads}},
      progress_{parts.context.io, parts.options.dry_run ? "checked" : "imported"} {
  totals_.last_line = state_.line;
}

Result<ImportTotals> ImportRun::read(std::istream& in, ImportReader& reader) {
  std::string chunk(kChunkBytes, '\0');
  while (!totals_.interrupted && in) {
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    const auto got = static_cast<std::size_t>(in.gcount());
    bytes_read_ += got;
    digest_.add(std::string_view{chunk}.substr(0, got));
    reader.feed(std::string_view{chunk}.substr(0, got));
    if (in.eof()) reader.finish();
    if (auto taken = take_lines(reader); !taken) return fail(std::move(taken.error()));
  }
  if (totals_.interrupted) return totals_;
  if (!in.eof())
    return fail(stopped({.code = ErrorCode::unavailable, .detail = "the file cannot be read"}));
  if (!batch_.empty()) {
    if (auto inserted = insert(); !inserted) return fail(std::move(inserted.error()));
  }
  progress_.wipe();
  totals_.interrupted = false;  // the end was reached all the same
  if (!parts_.options.dry_run) state_file_.remove();
  return totals_;
}

Result<void> ImportRun::take_lines(ImportReader& reader) {
  while (!totals_.interrupted) {
    auto line = reader.next();
    if (!line) return fail(std::move(line.error()));
    if (!*line) return {};
    if ((*line)->number <= state_.line) continue;  // done by an earlier run
    batch_.add(**std::move(line));
    if (!batch_.full()) continue;
    if (auto inserted = insert(); !inserted) return inserted;
  }
  return {};
}

Result<void> ImportRun::insert() {
  const auto result = batch_.insert(parts_.users, call_deadline(parts_.context.io));
  if (!result) return fail(stopped(result.error()));
  totals_.imported += result->imported;
  totals_.already_there += result->already_there;
  totals_.failed += result->failures.size();
  totals_.last_line = batch_.last_line();
  report(*result);
  record();
  const double all = static_cast<double>(std::max<std::uint64_t>(state_.file_bytes, 1));
  progress_.update({.fraction = static_cast<double>(bytes_read_) / all, .users = totals_.imported});
  totals_.interrupted = parts_.interrupts != nullptr && parts_.interrupts->requested();
  return {};
}

void ImportRun::report(const BatchResult& result) {
  if (!result.failures.empty()) progress_.wipe();
  for (const auto& failure : result.failures) {
    parts_.context.io.err << "line " << failure.line << ": " << error_line(failure.error) << '\n';
  }
}

void ImportRun::record() {
  if (parts_.options.dry_run) return;
  ImportState now = state_;
  now.read_bytes = bytes_read_;
  now.read_sha256 = digest_.hex();
  now.line = totals_.last_line;
  now.imported += totals_.imported;
  now.failed += totals_.failed;
  if (state_file_.save(now) || warned_) return;
  warned_ = true;
  progress_.wipe();
  parts_.context.io.err
      << "user-manager: " << shown(state_file_.path())
      << " cannot be written; --resume will have to read the file from its beginning\n";
}

Error ImportRun::stopped(const Error& error) {
  progress_.wipe();
  std::string line =
      "stopped after line " + std::to_string(totals_.last_line) + ": " + error_line(error);
  if (!parts_.options.dry_run) line += "; go on with --resume";
  return {.code = error.code, .detail = std::move(line)};
}

}  // namespace um
