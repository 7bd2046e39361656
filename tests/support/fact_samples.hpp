// Sample facts for tests of L2, and comparisons of facts.
#pragma once

#include <string>

#include "cache/l2_store.hpp"
#include "storage/cache_key.hpp"

namespace um::test {

inline Stamp sample_stamp() {
  return {.tau = {.high = 0x0123456789ABCDEF, .low = 42},
          .snapshot = {.xmax = 58763, .xip = {58701, 58760, 58761}}};
}

inline User full_user() {
  User user{.id = *UserId::from(42), .email = *Email::parse("Zoë.Müller@Example.test")};
  user.username = "zoe-m";
  user.first_name = "Zoë";
  user.last_name = "";
  user.role = Role::service;
  user.is_active = false;
  user.quota_usd = Usd::parse("12.345678");
  user.used_usd = *Usd::parse("-0.000001");
  user.model_capability_settings = R"({"gpt":{"max":1},"名":"志明"})";
  user.created_at = WallTime{std::chrono::microseconds{1'700'000'000'123'456}};
  user.updated_at = WallTime{std::chrono::microseconds{-1}};
  user.last_login_at = WallTime{std::chrono::microseconds{1}};
  user.version = 9'000'000'000;
  user.counters_version = 7;
  user.auth_epoch = -3;
  return user;
}

inline User plain_user() {
  return {.id = *UserId::from(9'223'372'036'854'775'807), .email = *Email::parse("a@b")};
}

inline Session full_session() {
  return {.id = *SessionId::parse("0123456789abcdef0123456789abcdef"),
          .user_id = *UserId::from(42),
          .auth_epoch = 5,
          .kind = SessionKind::service_token,
          .created_at = WallTime{std::chrono::microseconds{1}},
          .expires_at = WallTime{std::chrono::microseconds{9'000'000'000'000'000}},
          .address = "2001:db8::1",
          .user_agent = "curl/8.0"};
}

inline std::string key_of(const User& user) {
  return CacheKey::of(user.id).str();
}
inline std::string key_of(const Session& session) {
  return CacheKey::of(session.id).str();
}
inline Fact fact_of(User user) {
  return {.value = make_record(std::move(user)), .read_in = sample_stamp()};
}
inline Fact fact_of(Session session) {
  return {.value = std::make_shared<const Session>(std::move(session)), .read_in = sample_stamp()};
}

inline bool same(const User& a, const User& b) {
  return a.id == b.id && a.email.text() == b.email.text() && a.email == b.email &&
         a.username == b.username && a.first_name == b.first_name && a.last_name == b.last_name &&
         a.role == b.role && a.is_active == b.is_active && a.quota_usd == b.quota_usd &&
         a.used_usd == b.used_usd && a.model_capability_settings == b.model_capability_settings &&
         a.created_at == b.created_at && a.updated_at == b.updated_at &&
         a.last_login_at == b.last_login_at && a.version == b.version &&
         a.counters_version == b.counters_version && a.auth_epoch == b.auth_epoch;
}
inline bool same(const UserRecord& a, const UserRecord& b) {
  return same(a.user, b.user) && a.revision == b.revision && a.json == b.json && a.etag == b.etag;
}
inline bool same(const Session& a, const Session& b) {
  return a.id == b.id && a.user_id == b.user_id && a.auth_epoch == b.auth_epoch &&
         a.kind == b.kind && a.created_at == b.created_at && a.expires_at == b.expires_at &&
         a.address == b.address && a.user_agent == b.user_agent;
}
inline bool same(const L1Value& a, const L1Value& b) {
  if (a.index() != b.index()) return false;
  if (const auto* id = std::get_if<UserId>(&a)) return *id == std::get<UserId>(b);
  if (const auto* user = std::get_if<UserRef>(&a)) return same(**user, *std::get<UserRef>(b));
  if (const auto* session = std::get_if<SessionRef>(&a))
    return same(**session, *std::get<SessionRef>(b));
  return true;
}
inline bool same(const Fact& a, const Fact& b) {
  return a.read_in.tau == b.read_in.tau && a.read_in.snapshot == b.read_in.snapshot &&
         same(a.value, b.value);
}

}  // namespace um::test
