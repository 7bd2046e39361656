// migrate
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

std::string report_json(const MigrateReport& report, const MigrateRequest& request) {
  const auto name = [](const std::string& text) {
    std::string out;
    append_json_string(out, text);
    return out;
  };
  const auto row = [](const RefusedRow& refused) {
    return JsonObjectText{}
        .text("row", refused.row)
        .text("email", refused.email)
        .text("reason", refused.reason)
        .str();
  };
  return JsonObjectText{}
      .raw("dry_run", request.dry_run ? "true" : "false")
      .raw("migrations", json_lines_array(report.migrations, name))
      .raw("settings", json_lines_array(report.settings, name))
      .number("adopted_users", report.adopted_users)
      .raw("refused", json_lines_array(report.refused, row))
      .str();
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
                "  user-manager migrate --staleness-bound 1s",
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
    const auto report = context.backend.migrate(context.config, request_);
    if (!report) return fail(report.error());
    if (context.json) {
      context.io.out << report_json(*report, request_) << '\n';
    } else {
      write(context.io.out, *report);
    }
    const bool stopped = !report->refused.empty() && !request_.quarantine;
    if (!stopped) return ExitCode::done;
    return fail(ErrorCode::conflict,
                "nothing was changed: " + rows_text(report->refused.size()) +
                    (report->refused.size() == 1 ? " does" : " do") +
                    " not fit; correct them, or use --quarantine to move them aside");
  }

 private:
  void write(std::ostream& out, const MigrateReport& report) const {
    for (const RefusedRow& row : report.refused) {
      out << "row " << shown(row.row) << " \"" << shown(row.email) << "\": " << shown(row.reason)
          << '\n';
    }
    const bool stopped = !report.refused.empty() && !request_.quarantine;
    if (stopped) return;
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
