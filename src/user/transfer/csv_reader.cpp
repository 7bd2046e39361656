#include <algorithm>

#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "base/utf8.hpp"
#include "user/email.hpp"
#include "user/transfer/csv_records.hpp"
#include "user/transfer/formula_guard.hpp"
#include "user/transfer/import_reader.hpp"

namespace um {

namespace {

// A name from the file in a message: bounded and without anything a terminal would act on.
std::string quoted(std::string_view name) {
  constexpr std::size_t kMaxShownBytes = 64;
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
        return ImportLine{.number = record->line, .user = read_user(std::move(*record))};
      columns_ = read_header(*record);
    }
  }

 private:
  Result<std::optional<ImportLine>> nothing_now() {
    if (finished_ && columns_->empty()) return fail(ErrorCode::invalid, "there is no header line");
    return std::optional<ImportLine>{};
  }

  Result<ImportUser> read_user(CsvRecord record) const {
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

  CsvRecords records_{kMaxRecordBytes};
  Result<std::vector<Column>> columns_{};  // empty until the header was read
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<ImportReader> make_csv_reader() {
  return std::make_unique<CsvReader>();
}

}  // namespace um
