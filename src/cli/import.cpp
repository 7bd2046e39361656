// import
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "base/json_writer.hpp"
#include "cli/commands.hpp"
#include "cli/content_digest.hpp"
#include "cli/database_identity.hpp"
#include "cli/import_run.hpp"
#include "cli/messages.hpp"
#include "cli/progress.hpp"

namespace um {
namespace {

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
         "go on after an interrupted import: from the line recorded in FILE.import-state, and "
         "without complaint about e-mail addresses that are there already"},
        options_.resume);
  }

  Result<ExitCode> run(const Context& context) override {
    auto reader = make_reader();
    if (!reader) return fail(std::move(reader.error()));
    std::ifstream in{options_.file, std::ios::binary};
    std::error_code problem;
    const auto size = std::filesystem::file_size(options_.file, problem);
    if (!in || problem) return misuse("cannot read " + shown(options_.file));
    auto recorded = recorded_state();
    if (!recorded) return fail(std::move(recorded.error()));

    // Before the storage makes its threads.
    const auto interrupts = context.io.watch_interrupts ? context.io.watch_interrupts() : nullptr;
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    // Which database it is can be told only when it is there.
    auto start = starting_point(
        *std::move(recorded),
        {.database = database_identity(context.config.database), .file_bytes = size});
    if (!start) return fail(std::move(start.error()));
    ImportRun import{{.context = context,
                      .users = (*storage)->users(),
                      .interrupts = interrupts.get(),
                      .options = options_},
                     *std::move(start)};
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

  Result<std::optional<ImportState>> recorded_state() const {
    const ImportStateFile file{options_.file};
    if (options_.dry_run) return std::optional<ImportState>{};
    auto recorded = file.load();
    if (!recorded || !*recorded || options_.resume) return recorded;
    return misuse("an earlier import of this file stopped after line " +
                  std::to_string((*recorded)->line) + "; go on with --resume, or remove " +
                  shown(file.path()) + " to begin again");
  }

  // A record counts only for the same database and for a file that begins with the same bytes:
  // otherwise lines that nobody imported would be left out.
  Result<ImportState> starting_point(std::optional<ImportState> recorded,
                                     const ImportState& fresh) const {
    if (!recorded) return fresh;
    if (recorded->database != fresh.database || recorded->file_bytes != fresh.file_bytes ||
        sha256_of_beginning(recorded->read_bytes) != recorded->read_sha256) {
      return misuse(shown(ImportStateFile{options_.file}.path()) +
                    " is of another file or database; remove it to begin again");
    }
    return *std::move(recorded);
  }

  // nullopt: the file cannot be read so far.
  std::optional<std::string> sha256_of_beginning(std::uint64_t bytes) const {
    std::ifstream in{options_.file, std::ios::binary};
    ContentDigest digest;
    std::string chunk(64 * 1024, '\0');
    while (bytes > 0) {
      const auto wanted = std::min<std::uint64_t>(bytes, chunk.size());
      if (!in.read(chunk.data(), static_cast<std::streamsize>(wanted))) return std::nullopt;
      digest.add(std::string_view{chunk}.substr(0, wanted));
      bytes -= wanted;
    }
    return digest.hex();
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
