#include "user/transfer/import_user.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "user/time_text.hpp"
#include "user/validation.hpp"

namespace um {

namespace {

constexpr std::size_t kMaxHashBytes = 255;

std::unexpected<FieldError> wrong(FieldError error) {
  return std::unexpected(std::move(error));
}

Validated<UserId> check_id(std::string_view text) {
  if (const auto id = UserId::parse(text)) return *id;
  return wrong({"id", "not_an_id", "must be a positive whole number"});
}

Validated<bool> check_is_active(std::string_view text) {
  // Spreadsheets write TRUE.
  const std::string folded = fold_ascii(text);
  if (folded == "true" || folded == "false") return folded == "true";
  return wrong({"is_active", "unknown_value", "must be true or false"});
}

Validated<WallTime> check_created_at(std::string_view text) {
  if (const auto time = parse_time(text)) return *time;
  return wrong({"created_at", "not_a_time", "must be a time like 2026-11-22T01:35:29Z"});
}

// Refuses characters that no form of a hash has. auth decides which forms can be verified.
Validated<Secret> check_password_hash(std::string_view text) {
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (printable && text.size() <= kMaxHashBytes) return Secret{std::string{text}};
  return wrong({"password_hash", "not_a_hash", "must be a password hash in crypt(3) form"});
}

class ImportUserMaker {
 public:
  explicit ImportUserMaker(const ImportValues& values) : values_{values} {}

  Result<ImportUser> make() && {
    std::optional<Email> email = take(Column::email, check_email);
    if (!text(Column::email)) errors_.add({"email", "required", "is required"});
    if (!email) email = Email::parse("unknown@unknown");  // never imported: `errors_` is not empty
    ImportUser result{.user = {.email = *std::move(email)}};
    fill(result.user);
    secrets(result);
    if (!errors_.empty()) return fail(std::move(errors_).error("some values are not valid"));
    return result;
  }

 private:
  const std::optional<std::string>& text(Column column) const {
    return values_.at(index_of(column));
  }
  template <class T>
  std::optional<T> take(Column column, Validated<T> (*check)(std::string_view)) {
    return text(column) ? errors_.take(check(*text(column))) : std::nullopt;
  }

  void fill(NewUser& user) {
    user.id = take(Column::id, check_id);
    user.username = take(Column::username, check_username);
    user.first_name = take(Column::first_name, check_first_name).value_or("");
    user.last_name = take(Column::last_name, check_last_name).value_or("");
    user.role = take(Column::role, check_role).value_or(Role::user);
    user.is_active = take(Column::is_active, check_is_active).value_or(true);
    user.quota_usd = take(Column::quota_usd, check_quota_usd);
    user.used_usd = take(Column::used_usd, check_used_usd).value_or(Usd{});
    user.model_capability_settings =
        take(Column::model_capability_settings, check_model_capability_settings);
    user.created_at = take(Column::created_at, check_created_at);
  }

  void secrets(ImportUser& result) {
    if (text(Column::password) && text(Column::password_hash)) {
      errors_.add({"password", "ambiguous", "must not be given together with password_hash"});
      return;
    }
    if (text(Column::password)) result.password = Secret{*text(Column::password)};
    if (auto hash = take(Column::password_hash, check_password_hash))
      result.user.password_hash = std::move(*hash);
  }

  const ImportValues& values_;
  FieldErrors errors_;
};

}  // namespace

Result<ImportUser> make_import_user(const ImportValues& values) {
  return ImportUserMaker{values}.make();
}

}  // namespace um
