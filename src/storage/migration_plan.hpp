// What a migrator found out about a database: MigrationPlan. The same for every kind of database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace um {

// A row of an adopted table that cannot be taken over as it is.
struct MisfitRow {
  std::int64_t rowid = 0;  // where the database has it; means nothing outside of its adapter
  std::optional<std::string> id{};     // the bytes as stored; nullopt: null
  std::optional<std::string> email{};  // the same
  std::string reason{};
};

// What to do with them: change nothing at all, or put them into users_quarantine.
enum class Misfits { refuse, quarantine };

struct MigrationPlan {
  std::vector<std::string> pending{};   // names, in order: "0001_initial"
  bool adoption = false;                // a database of the Go program is taken over
  std::int64_t rows_to_adopt = 0;       // its rows, misfits included
  std::vector<MisfitRow> misfits{};     // rows that can only be put into quarantine
  std::vector<std::string> settings{};  // of the deployment, that get another value: one line each

  bool empty() const { return pending.empty() && !adoption && settings.empty(); }
};

}  // namespace um
