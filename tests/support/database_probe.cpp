#include "support/database_probe.hpp"

#include <stdexcept>

#include <sqlite3.h>

namespace um::e2e {

DatabaseProbe::DatabaseProbe(const std::string& path, Missing missing) {
  const int flags = SQLITE_OPEN_READWRITE | (missing == Missing::create ? SQLITE_OPEN_CREATE : 0);
  if (::sqlite3_open_v2(path.c_str(), &connection_, flags, nullptr) != SQLITE_OK) {
    const std::string why = ::sqlite3_errmsg(connection_);
    ::sqlite3_close(connection_);
    throw std::runtime_error("cannot open " + path + ": " + why);
  }
  // While a server runs, every statement may have to wait for it.
  ::sqlite3_busy_timeout(connection_, 10'000);
}

DatabaseProbe::~DatabaseProbe() {
  ::sqlite3_close(connection_);
}

void DatabaseProbe::execute(const std::string& sql) {
  column(sql);
}

std::vector<std::string> DatabaseProbe::column(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (::sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sql + ": " + ::sqlite3_errmsg(connection_));
  }
  std::vector<std::string> values;
  int result = 0;
  while ((result = ::sqlite3_step(statement)) == SQLITE_ROW) {
    const auto* text = ::sqlite3_column_text(statement, 0);
    values.emplace_back(text == nullptr ? "" : reinterpret_cast<const char*>(text));
  }
  const std::string why = ::sqlite3_errmsg(connection_);
  ::sqlite3_finalize(statement);
  if (result != SQLITE_DONE) throw std::runtime_error(sql + ": " + why);
  return values;
}

std::string DatabaseProbe::value(const std::string& sql) {
  const auto values = column(sql);
  return values.empty() ? "" : values.front();
}

HeldDatabase::HeldDatabase(const std::string& path) : probe_{path} {
  probe_.execute("BEGIN EXCLUSIVE");
}

HeldDatabase::~HeldDatabase() {
  try {
    probe_.execute("ROLLBACK");
  } catch (const std::exception&) {
    // The connection is closed next, which ends the transaction as well.
  }
}

}  // namespace um::e2e
