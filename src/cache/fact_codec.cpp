#include "cache/fact_codec.hpp"

#include <algorithm>

#include "cache/bytes.hpp"
#include "storage/cache_key.hpp"

namespace um {
namespace {

constexpr std::string_view kEmailKey = "email:";
constexpr std::string_view kSessionKey = "session:";

template <class T, class Write>
void write_optional(ByteWriter& out, const std::optional<T>& value, Write write) {
  out.number(std::uint8_t{value.has_value()});
  if (value) write(*value);
}

// This program writes 0 or 1, nothing else.
std::optional<bool> read_bool(ByteReader& in) {
  const auto byte = in.number<std::uint8_t>();
  if (!in.ok() || byte > 1) return std::nullopt;
  return byte == 1;
}

// Reads an optional value with `read`; false if the bytes are malformed.
template <class Read>
bool read_optional(ByteReader& in, Read read) {
  const std::optional<bool> there = read_bool(in);
  return there && (!*there || read());
}

// Years 1 to 9999: the range of the databases and of time_text().
std::optional<WallTime> read_time(ByteReader& in) {
  constexpr std::chrono::sys_days kFirst{std::chrono::year{1} / 1 / 1};
  constexpr std::chrono::sys_days kEnd{std::chrono::year{10'000} / 1 / 1};
  const WallTime time{WallTime::duration{in.integer()}};
  if (!in.ok() || time < kFirst || time >= kEnd) return std::nullopt;
  return time;
}

bool read_usd(ByteReader& in, Usd& into) {
  const auto amount = Usd::from_micros(in.integer());
  if (amount) into = *amount;
  return amount.has_value();
}

void write_stamp(ByteWriter& out, const Stamp& stamp) {
  out.number(stamp.tau.high);
  out.number(stamp.tau.low);
  out.number(stamp.snapshot.xmax);
  out.number(static_cast<std::uint32_t>(stamp.snapshot.xip.size()));
  for (const Xid xid : stamp.snapshot.xip) out.number(xid);
}

std::optional<Stamp> read_stamp(ByteReader& in) {
  Stamp stamp;
  stamp.tau.high = in.number<std::uint64_t>();
  stamp.tau.low = in.number<std::uint64_t>();
  stamp.snapshot.xmax = in.number<std::uint64_t>();
  const auto count = in.number<std::uint32_t>();
  if (!in.ok() || count > in.left() / sizeof(Xid) || stamp.tau == Tau{}) return std::nullopt;
  stamp.snapshot.xip.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i)
    stamp.snapshot.xip.push_back(in.number<std::uint64_t>());
  // Snapshot searches xip, so it must be sorted.
  const std::vector<Xid>& xip = stamp.snapshot.xip;
  if (std::ranges::adjacent_find(xip, std::ranges::greater_equal{}) != xip.end())
    return std::nullopt;
  if (!xip.empty() && xip.back() >= stamp.snapshot.xmax) return std::nullopt;
  return stamp;
}

void write_user(ByteWriter& out, const User& user) {
  auto text = [&](const std::string& value) { out.text(value); };
  out.integer(user.id.value());
  out.text(user.email.text());
  write_optional(out, user.username, text);
  out.text(user.first_name);
  out.text(user.last_name);
  out.text(to_string(user.role));
  out.number(std::uint8_t{user.is_active});
  write_optional(out, user.quota_usd, [&](Usd amount) { out.integer(amount.micros()); });
  out.integer(user.used_usd.micros());
  write_optional(out, user.model_capability_settings, text);
  out.integer(user.created_at.time_since_epoch().count());
  out.integer(user.updated_at.time_since_epoch().count());
  write_optional(out, user.last_login_at,
                 [&](WallTime time) { out.integer(time.time_since_epoch().count()); });
  out.integer(user.version);
  out.integer(user.counters_version);
  out.integer(user.auth_epoch);
}

std::optional<User> read_user(ByteReader& in) {
  const auto id = UserId::from(in.integer());
  auto email = Email::parse(in.text());
  if (!id || !email) return std::nullopt;
  User user{.id = *id, .email = std::move(*email)};
  auto text_into = [&](std::optional<std::string>& member) {
    return [&] {
      member.emplace(in.text());
      return in.ok();
    };
  };
  if (!read_optional(in, text_into(user.username))) return std::nullopt;
  user.first_name = in.text();
  user.last_name = in.text();
  const auto role = parse_role(in.text());
  const auto is_active = read_bool(in);
  if (!role || !is_active) return std::nullopt;
  user.role = *role;
  user.is_active = *is_active;
  if (!read_optional(in, [&] { return read_usd(in, user.quota_usd.emplace()); }) ||
      !read_usd(in, user.used_usd) || !read_optional(in, text_into(user.model_capability_settings)))
    return std::nullopt;
  const auto created_at = read_time(in);
  const auto updated_at = read_time(in);
  if (!created_at || !updated_at || !read_optional(in, [&] {
        user.last_login_at = read_time(in);
        return user.last_login_at.has_value();
      }))
    return std::nullopt;
  user.created_at = *created_at;
  user.updated_at = *updated_at;
  user.version = in.integer();
  user.counters_version = in.integer();
  user.auth_epoch = in.integer();
  return user;
}

void write_session(ByteWriter& out, const Session& session) {
  out.integer(session.user_id.value());
  out.integer(session.auth_epoch);
  out.number(std::uint8_t{session.kind == SessionKind::service_token});
  out.integer(session.created_at.time_since_epoch().count());
  out.integer(session.expires_at.time_since_epoch().count());
  out.text(session.address);
  out.text(session.user_agent);
}

std::optional<Session> read_session(SessionId id, ByteReader& in) {
  const auto user = UserId::from(in.integer());
  if (!user) return std::nullopt;
  Session session{.id = id, .user_id = *user};
  session.auth_epoch = in.integer();
  const auto is_service = read_bool(in);
  if (!is_service) return std::nullopt;
  session.kind = *is_service ? SessionKind::service_token : SessionKind::login;
  const auto created_at = read_time(in);
  const auto expires_at = read_time(in);
  if (!created_at || !expires_at) return std::nullopt;
  session.created_at = *created_at;
  session.expires_at = *expires_at;
  session.address = in.text();
  session.user_agent = in.text();
  return session;
}

// The encoded numbers of the kinds.
static_assert(EntryKind{0} == EntryKind::absent && EntryKind{1} == EntryKind::email &&
              EntryKind{2} == EntryKind::user && EntryKind{3} == EntryKind::session);

std::optional<L1Value> read_value(std::string_view key, EntryKind kind, ByteReader& in) {
  switch (kind) {
    case EntryKind::absent:
      return Absent{};
    case EntryKind::email: {
      if (!key.starts_with(kEmailKey)) return std::nullopt;
      return UserId::from(in.integer());
    }
    case EntryKind::user: {
      auto user = read_user(in);
      if (!user || !in.all_read() || key != CacheKey::of(user->id).view()) return std::nullopt;
      return make_record(std::move(*user));
    }
    case EntryKind::session: {
      if (!key.starts_with(kSessionKey)) return std::nullopt;
      const auto id = SessionId::parse(key.substr(kSessionKey.size()));
      if (!id) return std::nullopt;
      auto session = read_session(*id, in);
      if (!session) return std::nullopt;
      return std::make_shared<const Session>(std::move(*session));
    }
  }
  return std::nullopt;
}

}  // namespace

std::string encode_fact(const Fact& fact) {
  ByteWriter out;
  write_stamp(out, fact.read_in);
  out.number(static_cast<std::uint8_t>(kind_of(fact.value)));
  if (const auto* id = std::get_if<UserId>(&fact.value)) out.integer(id->value());
  if (const auto* user = std::get_if<UserRef>(&fact.value)) write_user(out, (*user)->user);
  if (const auto* session = std::get_if<SessionRef>(&fact.value)) write_session(out, **session);
  return out.take();
}

std::optional<Fact> decode_fact(std::string_view key, std::string_view bytes) {
  ByteReader in{bytes};
  auto stamp = read_stamp(in);
  if (!stamp) return std::nullopt;
  const auto kind = in.number<std::uint8_t>();
  if (!in.ok() || kind >= kEntryKinds) return std::nullopt;
  auto value = read_value(key, static_cast<EntryKind>(kind), in);
  if (!value || !in.all_read()) return std::nullopt;
  return Fact{.value = std::move(*value), .read_in = std::move(*stamp)};
}

}  // namespace um
