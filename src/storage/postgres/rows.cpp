#include "storage/postgres/rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <openssl/sha.h>

#include "base/utf8.hpp"
#include "user/time_text.hpp"

namespace um {

namespace {

Error broken_row(std::string_view what, std::int64_t id) {
  return {.code = ErrorCode::internal,
          .detail = std::string{what} + " of row " + std::to_string(id) + " breaks the rules"};
}

// Reads the columns of one row and remembers whether a value was malformed.
class Reader {
 public:
  Reader(const pg::Rows& rows, Cell at) : rows_{rows}, at_{at} {}

  std::string_view text(std::size_t column) const {
    return rows_.text(at_.row, at_.column + column);
  }
  std::int64_t integer(std::size_t column) const {
    return rows_.integer(at_.row, at_.column + column);
  }
  bool boolean(std::size_t column) const { return rows_.boolean(at_.row, at_.column + column); }
  std::string bytes(std::size_t column) const { return rows_.bytes(at_.row, at_.column + column); }
  bool null(std::size_t column) const { return rows_.null(at_.row, at_.column + column); }
  std::optional<std::string> optional_text(std::size_t column) const {
    if (null(column)) return std::nullopt;
    return std::string{text(column)};
  }
  WallTime time(std::size_t column) {
    const auto parsed = parse_pg_time(text(column));
    if (!parsed) broken_ = "a time";
    return parsed.value_or(WallTime{});
  }
  std::optional<WallTime> optional_time(std::size_t column) {
    if (null(column)) return std::nullopt;
    return time(column);
  }
  // Empty: every value so far was well-formed.
  std::string_view broken() const { return broken_; }

 private:
  const pg::Rows& rows_;
  const Cell at_;
  std::string_view broken_;
};

// Removes the number at the front of `text`. 0 is not a transaction.
std::optional<Xid> take_xid(std::string_view& text) {
  Xid xid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), xid);
  if (error != std::errc{} || xid == 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return xid;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<WallTime> parse_pg_time(std::string_view text) {
  // Like RFC 3339 except for the space, and for an offset of whole hours, which has no minutes.
  if (text.size() < 20 || text[10] != ' ') return std::nullopt;
  std::string rfc{text};
  rfc[10] = 'T';
  const std::size_t sign = rfc.find_first_of("+-", 19);
  if (sign == std::string::npos) return std::nullopt;
  if (rfc.size() == sign + 3) rfc += ":00";
  return parse_time(rfc);
}

Usd read_usd(std::string_view text) {
  const auto exact = Usd::parse(text);
  if (exact) return *exact;
  const bool negative = text.starts_with('-');
  return *Usd::from_micros(negative ? -Usd::kMaxMicros : Usd::kMaxMicros);
}

std::optional<std::string> usd_text(const std::optional<Usd>& amount) {
  if (!amount) return std::nullopt;
  return amount->text();
}

Result<User> read_user(const pg::Rows& rows, Cell at) {
  Reader row{rows, at};
  const auto id = UserId::from(row.integer(0));
  auto email = Email::parse(row.text(1));
  const auto role = parse_role(row.text(5));
  if (!id) return fail(broken_row("the id", row.integer(0)));
  if (!email) return fail(broken_row("the e-mail address", id->value()));
  if (!role) return fail(broken_row("the role", id->value()));
  User user{.id = *id, .email = std::move(*email)};
  user.username = row.optional_text(2);
  user.first_name = row.text(3);
  user.last_name = row.text(4);
  user.role = *role;
  user.is_active = row.boolean(6);
  if (!row.null(7)) user.quota_usd = read_usd(row.text(7));
  user.used_usd = read_usd(row.text(8));
  user.model_capability_settings = row.optional_text(9);
  user.created_at = row.time(10);
  user.updated_at = row.time(11);
  user.last_login_at = row.optional_time(12);
  user.version = row.integer(13);
  user.counters_version = row.integer(14);
  user.auth_epoch = row.integer(15);
  if (!row.broken().empty()) return fail(broken_row(row.broken(), id->value()));
  return user;
}

Result<void> read_assigned(const pg::Rows& rows, User& user) {
  Reader row{rows, {}};
  user.used_usd = read_usd(row.text(0));
  user.last_login_at = row.optional_time(1);
  user.version = row.integer(2);
  user.counters_version = row.integer(3);
  user.auth_epoch = row.integer(4);
  if (!row.broken().empty()) return fail(broken_row(row.broken(), user.id.value()));
  return {};
}

std::vector<UserRef> read_users(const pg::Rows& rows, std::size_t column) {
  std::vector<UserRef> users;
  users.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.null(row, column)) continue;
    auto user = read_user(rows, {.row = row, .column = column});
    if (user) users.push_back(make_record(std::move(*user)));
  }
  return users;
}

Result<Session> read_session(const pg::Rows& rows, Cell at) {
  Reader row{rows, at};
  const auto id = SessionId::parse(row.text(0));
  const auto user = UserId::from(row.integer(1));
  if (!id || !user) return fail(broken_row("the id of a session", row.integer(1)));
  Session session{.id = *id, .user_id = *user};
  session.auth_epoch = row.integer(2);
  session.kind = row.text(3) == "login" ? SessionKind::login : SessionKind::service_token;
  session.created_at = row.time(4);
  session.expires_at = row.time(5);
  session.address = row.text(6);
  session.user_agent = row.text(7);
  if (!row.broken().empty()) return fail(broken_row(row.broken(), user->value()));
  return session;
}

Result<SigningKey> read_signing_key(const pg::Rows& rows, std::size_t number) {
  Reader row{rows, {.row = number}};
  SigningKey key;
  key.kid = row.text(0);
  key.public_key = row.bytes(1);
  key.private_key = Secret{row.bytes(2)};
  key.created_at = row.time(3);
  key.retired_at = row.optional_time(4);
  key.verify_until = row.optional_time(5);
  key.revoked_at = row.optional_time(6);
  if (!row.broken().empty()) return fail(broken_row(row.broken(), std::int64_t(number)));
  return key;
}

bool is_storable(std::string_view text) {
  return text.find('\0') == std::string_view::npos && is_utf8(text);
}

std::optional<Snapshot> parse_pg_snapshot(std::string_view text) {
  const auto xmin = take_xid(text);
  if (!xmin || !take(text, ':')) return std::nullopt;
  const auto xmax = take_xid(text);
  if (!xmax || *xmin > *xmax || !take(text, ':')) return std::nullopt;
  Snapshot snapshot{.xmax = *xmax, .xip = {}};
  while (!text.empty()) {
    if (!snapshot.xip.empty() && !take(text, ',')) return std::nullopt;
    const auto running = take_xid(text);
    if (!running || *running < *xmin || *running >= *xmax) return std::nullopt;
    snapshot.xip.push_back(*running);
  }
  std::ranges::sort(snapshot.xip);
  return snapshot;
}

std::string pg_snapshot_text(const Snapshot& snapshot) {
  const Xid xmin = snapshot.xip.empty() ? snapshot.xmax : snapshot.xip.front();
  std::string text = std::to_string(xmin) + ':' + std::to_string(snapshot.xmax) + ':';
  for (const Xid running : snapshot.xip) {
    if (text.back() != ':') text += ',';
    text += std::to_string(running);
  }
  return text;
}

Tau tau_of(std::string_view namespace_text) {
  if (namespace_text.empty()) return {};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(namespace_text.data()), namespace_text.size(),
         digest.data());
  Tau tau;
  std::memcpy(&tau.high, digest.data(), sizeof tau.high);
  std::memcpy(&tau.low, digest.data() + sizeof tau.high, sizeof tau.low);
  return tau;
}

std::string_view server_of(std::string_view namespace_text) {
  std::size_t end = 0;
  for (int word = 0; word < 4 && end != std::string_view::npos; ++word)
    end = namespace_text.find(' ', word == 0 ? 0 : end + 1);
  return namespace_text.substr(0, end);
}

}  // namespace um
