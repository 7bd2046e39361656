#include <utility>

#include "user/json_object.hpp"
#include "user/money.hpp"
#include "user/text.hpp"
#include "user/transfer/byte_queue.hpp"
#include "user/transfer/import_reader.hpp"
#include "user/validation.hpp"

namespace um {

namespace {

bool fits(Column column, JsonKind kind) {
  switch (column) {
    case Column::id:
    case Column::version:
      return kind == JsonKind::number;
    case Column::is_active:
      return kind == JsonKind::boolean;
    case Column::quota_usd:
    case Column::used_usd:
      return kind == JsonKind::number || kind == JsonKind::string;
    case Column::model_capability_settings:
      return kind == JsonKind::object;
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
      return kind == JsonKind::string;
  }
  return false;
}

// As in the HTTP interface: an amount that is a JSON number may have an exponent.
std::string value_of(Column column, JsonMember member) {
  const bool amount = column == Column::quota_usd || column == Column::used_usd;
  if (amount && member.kind == JsonKind::number) {
    if (auto plain = plain_decimal(member.text)) return std::move(*plain);
  }
  return std::move(member.text);
}

Result<ImportUser> read_user(std::string_view line) {
  constexpr std::size_t kMaxShownBytes = 64;
  auto object = read_json_object(line);
  if (!object) return fail(ErrorCode::invalid, std::string{describe(object.error())});
  FieldErrors errors;
  ImportValues values;
  for (JsonMember& member : object->members) {
    const auto column = column_named(member.name);
    if (!column) {
      errors.add({std::string{utf8_prefix(member.name, kMaxShownBytes)}, "unknown_field",
                  "is not a member of a user"});
    } else if (member.kind != JsonKind::null && !fits(*column, member.kind)) {
      errors.add({member.name, "wrong_type", "has the wrong type"});
    } else if (member.kind != JsonKind::null) {
      values.at(index_of(*column)) = value_of(*column, std::move(member));
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
      return ImportLine{.number = number,
                        .user = fail(ErrorCode::invalid, "the line is longer than 64 KiB")};
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) return std::nullopt;
    return ImportLine{.number = number, .user = read_user(line)};
  }

  ByteQueue bytes_;
  std::string line_;
  bool too_long_ = false;
  std::int64_t number_ = 0;
};

}  // namespace

std::unique_ptr<ImportReader> make_jsonl_reader() {
  return std::make_unique<JsonlReader>();
}

}  // namespace um
