// migrate
#include <charconv>
#include <ostream>

#include "cli/commands.hpp"
#include "cli/json_text.hpp"
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

std::string json_string(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// As a number if it is one that every reader of JSON keeps exactly: at most 2^53.
std::string row_json(const std::optional<std::string>& row) {
  constexpr std::int64_t kMaxExact = std::int64_t{1} << 53U;
  if (!row) return "null";
  std::int64_t number = 0;
  const char* end = row->data() + row->size();
  const bool is_number = std::from_chars(row->data(), end, number).ptr == end &&
                         std::to_string(number) == *row && number >= -kMaxExact &&
                         number <= kMaxExact;
  return is_number ? *row : json_string(*row);
}

std::string refused_json(const RefusedRow& refused) {
  return JsonObjectText{}
      .raw("row", row_json(refused.row))
      .text_or_null("email", refused.email)
      .text("reason", refused.reason)
      .str();
}

// What was done and what is still to be done, each under its own name: one of the two is empty.
std::string report_json(const MigrateReport& report, const MigrateRequest& request) {
  const bool done = is_done(report, request);
  const std::vector<std::string> none;
  const auto names = [](const std::vector<std::string>& texts) {
    return json_lines_array(texts, json_string);
  };
  return JsonObjectText{}
      .raw("dry_run", request.dry_run ? "true" : "false")
      .raw("applied", names(done ? report.migrations : none))
      .raw("pending", names(done ? none : report.migrations))
      .raw("changed_settings", names(done ? report.settings : none))
      .raw("pending_settings", names(done ? none : report.settings))
      .number("adopted_users", done ? report.adopted_users : 0)
      .number("users_to_adopt", done ? 0 : report.adopted_users)
      .number("quarantined", done ? report.refused.size() : 0)
      .raw("refused", json_lines_array(report.refused, refused_json))
      .str();
}

// On SQLite there is nothing to store them in: who asks for it has something else in mind.
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
    options.flag({"--dry-run", "change nothing, show what is pending"}, request_.dry_run);
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
