// export
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <ostream>
#include <unistd.h>

#include "async/run_task.hpp"
#include "base/json_writer.hpp"
#include "cli/command.hpp"
#include "cli/messages.hpp"
#include "cli/operator.hpp"
#include "cli/progress.hpp"
#include "user/transfer/export_writer.hpp"

namespace um {
namespace {

constexpr std::int64_t kPageUsers = 1000;

// A file that appears under its name only when it is complete, readable by its owner alone. It is
// written as a new file beside its name: an existing partial file may have other rights, or be a
// link.
class OutputFile {
 public:
  explicit OutputFile(std::string path) : path_{std::move(path)}, partial_{path_ + ".partial"} {
    ::unlink(partial_.c_str());
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int fd = ::open(partial_.c_str(), kFlags, S_IRUSR | S_IWUSR);
    if (fd < 0) return;
    ::close(fd);
    stream_.open(partial_, std::ios::binary | std::ios::trunc);
  }
  ~OutputFile() {
    if (!complete_ && stream_.is_open()) std::remove(partial_.c_str());
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::ofstream& stream() { return stream_; }
  bool complete() {
    stream_.close();
    complete_ = stream_ && std::rename(partial_.c_str(), path_.c_str()) == 0;
    return complete_;
  }

 private:
  std::string path_;
  std::string partial_;
  std::ofstream stream_;
  bool complete_ = false;
};

enum class Format { csv, jsonl };

struct Exported {
  std::uint64_t users = 0;
  bool interrupted = false;
};

class Export final : public Command {
 public:
  About about() const override {
    return {.name = "export",
            .summary = "write all users to a file or standard output; no passwords, no hashes",
            .examples =
                "  user-manager export --output users.csv\n"
                "  user-manager export --format jsonl | gzip > users.jsonl.gz\n"
                "Users that are changed meanwhile appear as before or after their change."};
  }
  void declare(Options& options) override {
    options.text(
        {"--format",
         "csv or jsonl [default: by the name of the file; on standard output csv, with --json "
         "jsonl]",
         "NAME"},
        format_);
    options.text(
        {"--output",
         "appears when it is complete; replaced if it exists [default: standard output]", "FILE"},
        output_);
  }

  Result<ExitCode> run(const Context& context) override {
    const auto format = chosen_format(context);
    if (!format) return fail(format.error());
    const auto interrupts = context.io.watch_interrupts ? context.io.watch_interrupts() : nullptr;
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto done = output_
                          ? to_file(context, **storage, *format, interrupts.get())
                          : write(context, **storage, *format, interrupts.get(), context.io.out);
    if (!done) return fail(done.error());
    if (done->interrupted) {
      return fail(ErrorCode::conflict, "stopped after " + users_text(done->users) +
                                           (output_ ? "; nothing was written to " + *output_
                                                    : "; the output is incomplete") +
                                           "; run the command again");
    }
    report(context, *done);
    return ExitCode::done;
  }

 private:
  Result<Format> chosen_format(const Context& context) const {
    if (!output_ && context.json) {
      if (!format_ || format_ == "jsonl") return Format::jsonl;
      return misuse("--json and --format " + shown(*format_) +
                    " exclude each other on standard "
                    "output; --json alone writes JSON lines");
    }
    if (format_ == "csv" || (!format_ && !output_)) return Format::csv;
    if (format_ == "jsonl") return Format::jsonl;
    if (format_)
      return misuse("--format: \"" + shown(*format_) + "\" is not allowed; allowed: csv or jsonl");
    if (output_->ends_with(".csv")) return Format::csv;
    if (output_->ends_with(".jsonl") || output_->ends_with(".ndjson")) return Format::jsonl;
    return misuse("--output: the name of " + shown(*output_) +
                  " tells no format; give --format csv or --format jsonl");
  }

  Result<Exported> to_file(const Context& context, Storage& storage, Format format,
                           Interrupts* interrupts) const {
    OutputFile file{*output_};
    if (!file.stream().is_open()) return fail(ErrorCode::unavailable, "cannot write " + *output_);
    auto done = write(context, storage, format, interrupts, file.stream());
    if (done && !done->interrupted && !file.complete()) {
      return fail(ErrorCode::unavailable, "cannot write " + *output_ + ": is the disk full?");
    }
    return done;
  }

  static Result<Exported> write(const Context& context, Storage& storage, Format format,
                                Interrupts* interrupts, std::ostream& out) {
    const auto count = um::run(storage.users().count("", call_deadline(context.io)));
    if (!count) return fail(count.error());
    const double all = std::max(static_cast<double>(*count), 1.0);
    Progress progress{context.io, "exported"};
    Exported done;
    std::string text;
    if (format == Format::csv) append_csv_header(text);
    for (Page page{.limit = kPageUsers};;) {
      const auto users = um::run(storage.users().list(page, call_deadline(context.io)));
      if (!users) return fail(users.error());
      for (const UserRef& user : *users) append(text, *user, format);
      out << text;
      if (!out) return fail(ErrorCode::unavailable, "the output could not be written");
      text.clear();
      done.users += users->size();
      progress.update({.fraction = static_cast<double>(done.users) / all, .users = done.users});
      if (users->size() < static_cast<std::size_t>(kPageUsers)) return done;
      done.interrupted = interrupts != nullptr && interrupts->requested();
      if (done.interrupted) return done;
      page.after = users->back()->user.id;
    }
  }

  static void append(std::string& text, const UserRecord& user, Format format) {
    if (format == Format::csv) {
      append_csv(text, user.user);
    } else {
      append_jsonl(text, user);
    }
  }

  // Standard output may carry the users themselves, so messages for people go to standard error.
  void report(const Context& context, const Exported& done) const {
    if (context.json && output_) {
      JsonWriter json;
      json.open_object().member("file", *output_).member("exported", done.users).close();
      context.io.out << json.text() << '\n';
    } else {
      context.io.out.flush();
      context.io.err << "exported " << users_text(done.users) << '\n';
    }
  }

  std::optional<std::string> format_;
  std::optional<std::string> output_;
};

}  // namespace

std::unique_ptr<Command> make_export_command() {
  return std::make_unique<Export>();
}

}  // namespace um
