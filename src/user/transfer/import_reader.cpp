#include "user/transfer/import_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/exact_number.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "user/transfer/byte_queue.hpp"
#include "user/transfer/csv.hpp"
#include "user/validation.hpp"

namespace um {

namespace {

constexpr std::size_t kMaxShownBytes = 64;

// A name from the file for a message: bounded, and without control characters.
std::string quoted(std::string_view name) {
  std::string text;
  append_json_string(text, utf8_prefix(name, kMaxShownBytes));
  return text;
}

Result<std::vector<Column>> read_header(const CsvRecord& record) {
  if (!record.fields)
    return fail(ErrorCode::invalid, fmt::format("header: {}", describe(record.fields.error())));
  std::vector<Column> columns;
  for (const std::string& name : *record.fields) {
    const auto column = column_named(fold_ascii(name));
    if (!column) {
      return fail(ErrorCode::invalid, fmt::format("unknown column {}; known are {}", quoted(name),
                                                  fmt::join(kColumnNames, ", ")));
    }
    if (std::ranges::find(columns, *column) != columns.end())
      return fail(ErrorCode::invalid, fmt::format("column {} is there twice", quoted(name)));
    columns.push_back(*column);
  }
  if (std::ranges::find(columns, Column::email) == columns.end())
    return fail(ErrorCode::invalid, "the header has no column email");
  return columns;
}

class CsvReader final : public ImportReader {
 public:
  void feed(std::string_view bytes) override { records_.feed(bytes); }
  void finish() override {
    records_.finish();
    finished_ = true;
  }

  Result<std::optional<ImportLine>> next() override {
    while (true) {
      if (!columns_) return fail(columns_.error());
      std::optional<CsvRecord> record = records_.next();
      if (!record) return nothing_now();
      if (!columns_->empty())
        return ImportLine{.number = record->line, .user = read_record(std::move(*record))};
      columns_ = read_header(*record);
    }
  }

 private:
  Result<std::optional<ImportLine>> nothing_now() {
    if (finished_ && columns_->empty()) return fail(ErrorCode::invalid, "there is no header line");
    return std::optional<ImportLine>{};
  }

  Result<ImportUser> read_record(CsvRecord record) const {
    if (!record.fields)
      return fail(ErrorCode::invalid, std::string{describe(record.fields.error())});
    if (record.fields->size() != columns_->size()) {
      return fail(ErrorCode::invalid, fmt::format("has {} fields where the header has {}",
                                                  record.fields->size(), columns_->size()));
    }
    ImportValues values;
    for (std::size_t i = 0; i < columns_->size(); ++i) {
      std::string& cell = (*record.fields)[i];
      const Column column = (*columns_)[i];
      if (cell.empty()) continue;
      values.at(index_of(column)) = is_free_text(column) ? unguard_formula(cell) : std::move(cell);
    }
    return make_import_user(values);
  }

  static_assert(kMaxRecordBytes == 64 * 1024, "describe(CsvFault::too_long) says 64 KiB");
  CsvRecords records_{kMaxRecordBytes};
  Result<std::vector<Column>> columns_{};  // empty until the header was read
  bool finished_ = false;
};

using Kind = JsonValue::Kind;

bool fits(Column column, Kind kind) {
  switch (column) {
    case Column::id:
    case Column::version:
      return kind == Kind::number;
    case Column::is_active:
      return kind == Kind::boolean;
    case Column::quota_usd:
    case Column::used_usd:
      return kind == Kind::number || kind == Kind::string;
    case Column::model_capability_settings:
      return kind == Kind::object;
    case Column::email:
    case Column::username:
    case Column::first_name:
    case Column::last_name:
    case Column::role:
    case Column::created_at:
    case Column::updated_at:
    case Column::last_login_at:
    case Column::password:
    case Column::password_hash:
      return kind == Kind::string;
  }
  return false;
}

// The characters of a string, the JSON text of anything else. As in the HTTP interface, an amount
// that is a JSON number may have an exponent.
std::string text_of(Column column, const JsonValue& value) {
  const bool amount = column == Column::quota_usd || column == Column::used_usd;
  if (amount && value.kind == Kind::number) {
    if (auto plain = plain_decimal(value.text)) return *std::move(plain);
  }
  return value.kind == Kind::string ? value.text : compact_json(value);
}

Result<ImportUser> read_line(std::string_view line) {
  const auto object = read_json_object(line);
  if (!object) return fail(ErrorCode::invalid, std::string{describe(object.error())});
  FieldErrors errors;
  ImportValues values;
  for (const JsonMember& member : object->members) {
    const auto column = column_named(member.name);
    if (!column) {
      errors.add({std::string{utf8_prefix(member.name, kMaxShownBytes)}, "unknown_field",
                  "is not a member of a user"});
    } else if (member.value.kind != Kind::null && !fits(*column, member.value.kind)) {
      errors.add({member.name, "wrong_type", "has the wrong type"});
    } else if (member.value.kind != Kind::null) {
      values.at(index_of(*column)) = text_of(*column, member.value);
    }
  }
  if (!errors.empty()) return fail(std::move(errors).error("some members are not valid"));
  return make_import_user(values);
}

class JsonlReader final : public ImportReader {
 public:
  void feed(std::string_view bytes) override { bytes_.feed(bytes); }
  void finish() override { bytes_.finish(); }

  Result<std::optional<ImportLine>> next() override {
    while (const std::optional<char> c = bytes_.take()) {
      if (*c != '\n') {
        keep(*c);
      } else if (auto line = end_line()) {
        return line;
      }
    }
    return bytes_.finished() ? end_line() : std::nullopt;
  }

 private:
  void keep(char c) {
    if (line_.size() < kMaxRecordBytes) {
      line_ += c;
    } else {
      too_long_ = true;
    }
  }

  std::optional<ImportLine> end_line() {
    const std::int64_t number = ++number_;
    const std::string line = std::exchange(line_, {});
    if (std::exchange(too_long_, false)) {
      return ImportLine{
          .number = number,
          .user = fail(ErrorCode::invalid,
                       fmt::format("the line is longer than {} KiB", kMaxRecordBytes / 1024))};
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) return std::nullopt;
    return ImportLine{.number = number, .user = read_line(line)};
  }

  ByteQueue bytes_;
  std::string line_;
  bool too_long_ = false;
  std::int64_t number_ = 0;
};

}  // namespace

std::unique_ptr<ImportReader> make_csv_reader() {
  return std::make_unique<CsvReader>();
}

std::unique_ptr<ImportReader> make_jsonl_reader() {
  return std::make_unique<JsonlReader>();
}

}  // namespace um
