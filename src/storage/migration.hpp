// Migrations: the numbered steps of a schema, and the findings of a migrator in a database. The
// same for both databases.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace um {

// One step, forward only. The steps are the files src/storage/<database>/sql/NNNN_name.sql,
// compiled into the program. A released file never changes: every database stores the checksums of
// the steps that were applied to it.
struct Migration {
  int number;               // 1, 2, 3 … without a gap
  std::string_view name;    // "0001_initial"
  std::string_view sha256;  // of the file, lower-case hex
  std::string_view sql;
};

// All steps, ascending.
namespace sqlite_schema {
std::span<const Migration> migrations();
}
namespace postgres_schema {
std::span<const Migration> migrations();
}

// A row of an adopted table that cannot be taken over as it is.
struct MisfitRow {
  std::int64_t rowid = 0;  // the row's place in the database; has a meaning only in the adapter
  std::optional<std::string> id{};     // the bytes as stored; nullopt: null
  std::optional<std::string> email{};  // the same
  std::string reason{};
};

// The treatment of misfits: change nothing at all, or put them into users_quarantine.
enum class Misfits { refuse, quarantine };

struct MigrationPlan {
  std::vector<std::string> pending{};   // names, in order: "0001_initial"
  bool adoption = false;                // a database of the Go program is taken over
  std::int64_t rows_to_adopt = 0;       // its rows, misfits included
  std::vector<MisfitRow> misfits{};     // rows that can only be put into quarantine
  std::vector<std::string> settings{};  // settings of the deployment that change: one line each

  bool empty() const { return pending.empty() && !adoption && settings.empty(); }
};

}  // namespace um
