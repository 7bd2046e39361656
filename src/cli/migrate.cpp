// migrate
#include <charconv>
#include <ostream>

#include "base/json_writer.hpp"
#include "cli/command.hpp"
#include "cli/messages.hpp"
#include "cli/progress.hpp"

namespace um {
namespace {

std::string rows_text(std::size_t number) {
  return grouped(number) + (number == 1 ? " row" : " rows");
}

bool is_stopped(const MigrateReport& report, const MigrateRequest& request) {
  return !report.refused.empty() && !request.quarantine;
}
bool is_done(const MigrateReport& report, const MigrateRequest& request) {
  return !request.dry_run && !is_stopped(report, request);
}

// As a number if every reader of JSON keeps it exactly: at most 2^53.
void write_row(JsonWriter& json, const std::optional<std::string>& row) {
  constexpr std::int64_t kMaxExact = std::int64_t{1} << 53U;
  std::int64_t number = 0;
  const char* const end = row ? row->data() + row->size() : nullptr;
  const bool is_number = row && std::from_chars(row->data(), end, number).ptr == end &&
                         std::to_string(number) == *row && number >= -kMaxExact &&
                         number <= kMaxExact;
  if (is_number) {
    json.value(number);
  } else {
    json.value(row);
  }
}

// The names that were done and those that are still to be done, each under a key of its own: one of
// the two lists is empty.
std::string report_json(const MigrateReport& report, const MigrateRequest& request) {
  const bool done = is_done(report, request);
  const std::vector<std::string> none;
  JsonWriter json;
  const auto names = [&json](std::string_view key, const std::vector<std::string>& texts) {
    json.key(key).open_array(JsonWriter::Layout::lines);
    for (const std::string& text : texts) json.value(text);
    json.close();
  };
  json.open_object().member("dry_run", request.dry_run);
  names("applied", done ? report.migrations : none);
  names("pending", done ? none : report.migrations);
  names("changed_settings", done ? report.settings : none);
  names("pending_settings", done ? none : report.settings);
  json.member("adopted_users", done ? report.adopted_users : 0)
      .member("users_to_adopt", done ? 0 : report.adopted_users)
      .member("quarantined", done ? report.refused.size() : 0);
  json.key("refused").open_array(JsonWriter::Layout::lines);
  for (const RefusedRow& refused : report.refused) {
    write_row(json.open_object().key("row"), refused.row);
    json.member("email", refused.email).member("reason", refused.reason).close();
  }
  return json.close().close().take();
}

// SQLite has no place to store them: a flag would be ignored without a word.
Result<void> check_settings(const Config& config) {
  if (config.database.kind == DatabaseUrl::Kind::postgresql) return {};
  for (const EffectiveSetting& setting : config.effective) {
    if (setting.source != ConfigSource::flag || setting.name == "database") continue;
    return misuse("--" + std::string{setting.name} +
                  ": migrate stores it in PostgreSQL only; on SQLite give it to `serve`");
  }
  return {};
}

class Migrate final : public Command {
 public:
  About about() const override {
    return {.name = "migrate",
            .summary =
                "bring the database to this version's schema, adopting a Go program's users table",
            .examples =
                "  user-manager migrate --dry-run\n"
                "  user-manager migrate --database sqlite:old.db --quarantine\n"
                "  user-manager migrate --database postgresql://um@db/users --staleness-bound 1s",
            .settings = SettingFlags::schema};
  }
  void declare(Options& options) override {
    options.flag({"--dry-run", "change nothing, show the pending changes"}, request_.dry_run);
    options.flag({"--quarantine",
                  "move rows that the schema cannot take into the table users_quarantine instead "
                  "of stopping"},
                 request_.quarantine);
  }

  Result<ExitCode> run(const Context& context) override {
    if (auto sound = check_settings(context.config); !sound) return fail(std::move(sound.error()));
    const auto report = context.backend.migrate(context.config, request_);
    if (!report) return fail(report.error());
    if (context.json) {
      context.io.out << report_json(*report, request_) << '\n';
    } else {
      write(context.io.out, *report);
    }
    if (!is_stopped(*report, request_)) return ExitCode::done;
    return fail(ErrorCode::conflict,
                "nothing was changed: " + rows_text(report->refused.size()) +
                    (report->refused.size() == 1 ? " does" : " do") +
                    " not fit; correct them, or use --quarantine to move them aside");
  }

 private:
  void write(std::ostream& out, const MigrateReport& report) const {
    for (const RefusedRow& row : report.refused) {
      out << "row " << shown(row.row.value_or("null")) << ' '
          << (row.email ? '"' + shown(*row.email) + '"' : "null") << ": " << shown(row.reason)
          << '\n';
    }
    if (is_stopped(report, request_)) return;
    if (!report.refused.empty()) {
      const bool one = report.refused.size() == 1;
      out << rows_text(report.refused.size())
          << (request_.dry_run ? " would be moved"
              : one            ? " was moved"
                               : " were moved")
          << " to users_quarantine\n";
    }
    const char* verb = request_.dry_run ? "pending: " : "applied: ";
    for (const std::string& migration : report.migrations) out << verb << migration << '\n';
    for (const std::string& setting : report.settings)
      out << (request_.dry_run ? "would change " : "changed ") << shown(setting) << '\n';
    if (report.migrations.empty()) out << "the schema is up to date\n";
    if (report.adopted_users > 0) {
      out << users_text(static_cast<std::uint64_t>(report.adopted_users))
          << (request_.dry_run ? " to adopt\n" : " adopted\n");
    }
  }

  MigrateRequest request_;
};

}  // namespace

std::unique_ptr<Command> make_migrate_command() {
  return std::make_unique<Migrate>();
}

}  // namespace um
