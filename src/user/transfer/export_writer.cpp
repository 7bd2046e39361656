#include "user/transfer/export_writer.hpp"

#include "user/time_text.hpp"
#include "user/transfer/columns.hpp"
#include "user/transfer/csv.hpp"

namespace um {

namespace {

std::string cell_text(const User& user, Column column) {
  switch (column) {
    case Column::id:
      return user.id.text();
    case Column::email:
      return user.email.text();
    case Column::username:
      return user.username.value_or("");
    case Column::first_name:
      return user.first_name;
    case Column::last_name:
      return user.last_name;
    case Column::role:
      return std::string{to_string(user.role)};
    case Column::is_active:
      return user.is_active ? "true" : "false";
    case Column::quota_usd:
      return user.quota_usd ? user.quota_usd->text() : "";
    case Column::used_usd:
      return user.used_usd.text();
    case Column::model_capability_settings:
      return user.model_capability_settings.value_or("");
    case Column::created_at:
      return time_text(user.created_at);
    case Column::updated_at:
      return time_text(user.updated_at);
    case Column::last_login_at:
      return user.last_login_at ? time_text(*user.last_login_at) : "";
    case Column::version:
      return std::to_string(user.version);
    case Column::password:
    case Column::password_hash:
      break;
  }
  return "";
}

}  // namespace

void append_csv_header(std::string& out) {
  for (std::size_t i = 0; i < kExportedColumns; ++i) {
    if (i > 0) out += ',';
    out += kColumnNames.at(i);
  }
  out += "\r\n";
}

void append_csv(std::string& out, const User& user) {
  for (std::size_t i = 0; i < kExportedColumns; ++i) {
    const auto column = static_cast<Column>(i);
    if (i > 0) out += ',';
    const std::string text = cell_text(user, column);
    append_csv_field(out, is_free_text(column) ? guard_formula(text) : text);
  }
  out += "\r\n";
}

void append_jsonl(std::string& out, const UserRecord& user) {
  out += user.json;
  out += '\n';
}

}  // namespace um
