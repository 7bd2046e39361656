#include <utility>

#include "base/exact_number.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/utf8.hpp"
#include "user/transfer/byte_queue.hpp"
#include "user/transfer/import_reader.hpp"
#include "user/validation.hpp"

namespace um {

namespace {

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

Result<ImportUser> read_user(std::string_view line) {
  constexpr std::size_t kMaxShownBytes = 64;
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
