// import
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "base/json_writer.hpp"
#include "cli/command.hpp"
#include "cli/import_batch.hpp"
#include "cli/messages.hpp"
#include "cli/progress.hpp"

namespace um {
namespace {

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

// One run over a file: reads it and inserts batch by batch.
class ImportRun {
 public:
  struct Parts {
    const Context& context;
    UserStore& users;
    Interrupts* interrupts;  // may be null
    const ImportOptions& options;
    std::uint64_t file_bytes;
  };
  // The parts outlive it.
  explicit ImportRun(Parts parts)
      : parts_{parts},
        batch_{{.users = parts.users, .clock = parts.context.io.clock},
               {.rehearse = parts.options.dry_run,
                .skip_existing = parts.options.resume,
                .password_cost = parts.context.config.password_cost,
                .threads = parts.context.config.threads}},
        progress_{parts.context.io, parts.options.dry_run ? "checked" : "imported"} {}

  // Failures of single lines are written to standard error and counted. An error is about the
  // whole: the file cannot be read or understood, or the database does not answer.
  Result<ImportTotals> read(std::istream& in, ImportReader& reader) {
    constexpr std::size_t kChunkBytes = 64 * 1024;
    std::string chunk(kChunkBytes, '\0');
    while (!totals_.interrupted && in) {
      in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
      const auto got = static_cast<std::size_t>(in.gcount());
      bytes_read_ += got;
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
    totals_.interrupted = false;  // an interrupt after the last batch stopped nothing
    return totals_;
  }

 private:
  Result<void> take_lines(ImportReader& reader) {
    while (!totals_.interrupted) {
      auto line = reader.next();
      if (!line) return fail(std::move(line.error()));
      if (!*line) return {};
      if (auto added = batch_.add(**std::move(line)); !added) return fail(stopped(added.error()));
      if (!batch_.full()) continue;
      if (auto inserted = insert(); !inserted) return inserted;
    }
    return {};
  }

  Result<void> insert() {
    const auto result = batch_.insert();
    if (!result) return fail(stopped(result.error()));
    totals_.imported += result->imported;
    totals_.already_there += result->already_there;
    totals_.failed += result->failures.size();
    totals_.last_line = batch_.last_line();
    if (!result->failures.empty()) progress_.wipe();
    for (const auto& failure : result->failures) {
      parts_.context.io.err << "line " << failure.line << ": " << error_line(failure.error) << '\n';
    }
    const double all = static_cast<double>(std::max<std::uint64_t>(parts_.file_bytes, 1));
    progress_.update(
        {.fraction = static_cast<double>(bytes_read_) / all, .users = totals_.imported});
    totals_.interrupted = parts_.interrupts != nullptr && parts_.interrupts->requested();
    return {};
  }

  Error stopped(const Error& error) {
    progress_.wipe();
    std::string line =
        "stopped after line " + std::to_string(totals_.last_line) + ": " + error_line(error);
    if (!parts_.options.dry_run) line += "; go on with --resume";
    return {.code = error.code, .detail = std::move(line)};
  }

  Parts parts_;
  ImportBatch batch_;
  Progress progress_;
  ImportTotals totals_;
  std::uint64_t bytes_read_ = 0;
};

class Import final : public Command {
 public:
  About about() const override {
    return {
        .name = "import",
        .summary = "create users from a CSV or JSON lines file, with their password hashes",
        .examples =
            "  user-manager import users.csv --dry-run\n"
            "  user-manager import users.jsonl\n"
            "  user-manager import users.jsonl --resume\n"
            "CSV has a header line; columns: email (needed), id, username, first_name, last_name,\n"
            "role, is_active, quota_usd, used_usd, model_capability_settings, created_at,\n"
            "password or password_hash (bcrypt). Lines that do not fit are named and left out."};
  }
  void declare(Options& options) override {
    options.positional({"FILE", "users.csv or users.jsonl"}, options_.file);
    options.text({"--format", "csv or jsonl [default: by the name of the file]", "NAME"},
                 options_.format);
    options.flag({"--dry-run", "check every line, also against the database, and keep nothing"},
                 options_.dry_run);
    options.flag(
        {"--resume",
         "go on after an interrupted import: a line is skipped if a user has its e-mail address; a "
         "user that changed the address since then is created again"},
        options_.resume);
  }

  Result<ExitCode> run(const Context& context) override {
    auto reader = make_reader();
    if (!reader) return fail(std::move(reader.error()));
    std::ifstream in{options_.file, std::ios::binary};
    std::error_code problem;
    const auto size = std::filesystem::file_size(options_.file, problem);
    if (!in || problem) return misuse("cannot read " + shown(options_.file));

    // Before the storage makes its threads.
    const auto interrupts = context.io.watch_interrupts ? context.io.watch_interrupts() : nullptr;
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    ImportRun import{{.context = context,
                      .users = (*storage)->users(),
                      .interrupts = interrupts.get(),
                      .options = options_,
                      .file_bytes = size}};
    const auto totals = import.read(in, **reader);
    if (!totals) return fail(totals.error());
    report(context, *totals);
    return totals->failed > 0 || totals->interrupted ? ExitCode::failed : ExitCode::done;
  }

 private:
  Result<std::unique_ptr<ImportReader>> make_reader() const {
    std::string format =
        options_.format.value_or(std::filesystem::path{options_.file}.extension().string());
    if (format.starts_with('.')) format.erase(0, 1);
    if (format == "csv") return make_csv_reader();
    if (format == "jsonl" || format == "ndjson") return make_jsonl_reader();
    return misuse("\"" + shown(format) +
                  "\" is not a format; allowed: csv or jsonl (see --format)");
  }

  void report(const Context& context, const ImportTotals& totals) const {
    if (context.json) {
      context.io.out << JsonWriter{}
                            .open_object()
                            .member("dry_run", options_.dry_run)
                            .member("complete", !totals.interrupted)
                            .member("imported", totals.imported)
                            .member("already_there", totals.already_there)
                            .member("failed", totals.failed)
                            .member("last_line", totals.last_line)
                            .close()
                            .text()
                     << '\n';
    } else {
      context.io.out << (options_.dry_run ? "would import " : "imported ")
                     << users_text(totals.imported);
      if (totals.already_there > 0)
        context.io.out << ", " << grouped(totals.already_there) << " already there";
      if (totals.failed > 0) {
        context.io.out << ", " << grouped(totals.failed)
                       << (totals.failed == 1 ? " line failed" : " lines failed");
      }
      context.io.out << '\n';
    }
    if (!totals.interrupted) return;
    context.io.out.flush();
    context.io.err << "user-manager: stopped after line " << totals.last_line
                   << "; everything up to there is in the database";
    if (!options_.dry_run) {
      context.io.err << "; go on with: user-manager import " << shown(options_.file) << " --resume";
    }
    context.io.err << '\n';
  }

  ImportOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_import_command() {
  return std::make_unique<Import>();
}

}  // namespace um
