// The members of a user in import and export files: CSV has them as columns, JSON lines as members.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace um {

// In the order of an export. The last two are never exported.
enum class Column {
  id,
  email,
  username,
  first_name,
  last_name,
  role,
  is_active,
  quota_usd,
  used_usd,
  model_capability_settings,
  created_at,
  updated_at,
  last_login_at,
  version,
  password,
  password_hash,
};

inline constexpr std::array<std::string_view, 16> kColumnNames{
    "id",           "email",      "username",      "first_name", "last_name",
    "role",         "is_active",  "quota_usd",     "used_usd",   "model_capability_settings",
    "created_at",   "updated_at", "last_login_at", "version",    "password",
    "password_hash"};
inline constexpr std::size_t kColumns = kColumnNames.size();
inline constexpr std::size_t kExportedColumns = kColumns - 2;

constexpr std::size_t index_of(Column column) {
  return static_cast<std::size_t>(column);
}

constexpr std::optional<Column> column_named(std::string_view name) {
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (kColumnNames.at(i) == name) return static_cast<Column>(i);
  }
  return std::nullopt;
}

// The columns with a text of the user's choice; a spreadsheet might take it for a formula.
constexpr bool is_free_text(Column column) {
  return column == Column::email || column == Column::username || column == Column::first_name ||
         column == Column::last_name;
}

}  // namespace um
