// Every statement of the PostgreSQL stores with its name, which statistics and logs use. A
// statement that does the same as one of SQLite's has the same name.
//
// A query that returns facts for the cache has its snapshot as the first column, so that snapshot
// and row come from one statement; if there is no row it returns the snapshot and nulls. A
// statement that changes something returns the id of its transaction, so that the outcome can be
// queried.
#pragma once

#include <array>

#include "drivers/pg/query.hpp"

namespace um::postgres_queries {

using pg::Query;

// The order that read_user() expects. Only the two credentials queries return the password hash.
#define UM_PG_USER_COLUMNS                                                                   \
  "u.id, u.email, u.username, u.first_name, u.last_name, u.role, u.is_active, u.quota_usd, " \
  "u.used_usd, u.settings, u.created_at, u.updated_at, u.last_login_at, u.version, "         \
  "u.counters_version, u.auth_epoch"
#define UM_PG_SESSION_COLUMNS \
  "s.id, s.user_id, s.auth_epoch, s.kind, s.created_at, s.expires_at, s.address, s.user_agent"
#define UM_PG_KEY_COLUMNS \
  "kid, public_key, private_key, created_at, retired_at, verify_until, revoked_at"

// Run once on each connection. Times are read as ISO in UTC; the note is the namespace of facts.
// Starting parallel workers or compiling a plan takes longer than most of these statements. No
// schema that the database or the role adds to the search_path precedes PostgreSQL's own functions.
inline constexpr const char* kSessionSettings =
    "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false),"
    " set_config('client_encoding', 'UTF8', false), set_config('jit', 'off', false),"
    " set_config('max_parallel_workers_per_gather', '0', false),"
    " set_config('search_path', 'pg_catalog, pg_temp', false)";
inline constexpr const char* kSessionNote = "SELECT public.cache_namespace()";

inline constexpr Query kFindUser{"find_user",
                                 "SELECT pg_current_snapshot(), " UM_PG_USER_COLUMNS
                                 " FROM (SELECT) AS one LEFT JOIN public.users u ON u.id = $1"};
inline constexpr Query kFindUserByEmail{
    "find_user_by_email", "SELECT pg_current_snapshot(), " UM_PG_USER_COLUMNS
                          " FROM (SELECT) AS one LEFT JOIN public.users u ON u.email_folded = $1"};
inline constexpr Query kFindSession{
    "find_session", "SELECT pg_current_snapshot(), " UM_PG_SESSION_COLUMNS
                    " FROM (SELECT) AS one LEFT JOIN public.sessions s ON s.id = $1"};

inline constexpr Query kCredentials{"credentials",
                                    "SELECT " UM_PG_USER_COLUMNS
                                    ", u.password_hash FROM public.users u WHERE u.id = $1"};
inline constexpr Query kCredentialsByEmail{
    "credentials_by_email",
    "SELECT " UM_PG_USER_COLUMNS ", u.password_hash FROM public.users u WHERE u.email_folded = $1"};
inline constexpr Query kListUsers{"list_users", "SELECT " UM_PG_USER_COLUMNS
                                                " FROM public.users u WHERE u.id > $1"
                                                " ORDER BY u.id OFFSET $2 LIMIT $3"};
inline constexpr Query kCountUsers{"count_users", "SELECT count(*) FROM public.users"};
inline constexpr Query kHasAdmin{
    "has_admin", "SELECT EXISTS (SELECT FROM public.users WHERE role = 'admin' AND is_active)"};

// The status of a transaction: committed, aborted, in progress; null if it ended too long ago.
inline constexpr Query kTransactionStatus{"transaction_status",
                                          "SELECT pg_xact_status($1::text::xid8)"};
inline constexpr Query kPing{
    "ping", "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"};

// Searching: user_store.cpp explains the three ways. $1 after, $2 keyword.
// Of the matches among the next $3 users: $5 after the first $4, and the number of matches that
// were seen (a full page ends the search).
inline constexpr Query kSearchWindow{
    "search_users",
    "SELECT x.found, " UM_PG_USER_COLUMNS
    " FROM (SELECT count(*) AS found,"
    "  (array_agg(id ORDER BY id))[$4::integer + 1 : $4::integer + $5::integer] AS ids"
    "  FROM (SELECT id FROM (SELECT id, search FROM public.users WHERE id > $1 ORDER BY id LIMIT "
    "$3)"
    "  w WHERE strpos(search, $2) > 0 LIMIT $4::integer + $5::integer) h) x"
    " LEFT JOIN public.users u ON u.id = ANY (x.ids) ORDER BY u.id"};
// Only the index of trigrams finds the candidates: combined with `id > $1` the planner would read
// most of the primary key's index as well.
inline constexpr Query kSearchIndex{
    "search_users_by_index",
    "WITH candidates AS MATERIALIZED (SELECT id, search FROM public.users"
    "  WHERE public.search_grams(search) @@ public.search_query($2)),"
    " hits AS MATERIALIZED (SELECT id FROM candidates WHERE id > $1 AND strpos(search, $2) > 0"
    "  ORDER BY id OFFSET $3 LIMIT $4)"
    " SELECT " UM_PG_USER_COLUMNS " FROM hits JOIN public.users u USING (id) ORDER BY u.id"};
inline constexpr Query kSearchWalk{
    "search_users_by_walk", "SELECT " UM_PG_USER_COLUMNS
                            " FROM public.users u WHERE u.id > $1"
                            " AND strpos(u.search, $2) > 0 ORDER BY u.id OFFSET $3 LIMIT $4"};
// The number of users among the first $2, and of those that match $1.
inline constexpr Query kCountWindow{
    "count_search_window",
    "SELECT count(*), count(*) FILTER (WHERE strpos(search, $1) > 0)"
    " FROM (SELECT search FROM public.users ORDER BY id LIMIT $2) w"};
inline constexpr Query kCountIndex{
    "count_search",
    "WITH candidates AS MATERIALIZED (SELECT search FROM public.users"
    "  WHERE public.search_grams(search) @@ public.search_query($1))"
    " SELECT count(*) FROM candidates WHERE strpos(search, $1) > 0"};
inline constexpr Query kCountScan{"count_search_by_scan",
                                  "SELECT count(*) FROM public.users WHERE strpos(search, $1) > 0"};

// Writing users. The triggers assign version, counters_version and auth_epoch, and record the
// changed cache keys. U+001E in front of a search text says that the program folded it.
inline constexpr Query kInsertUser{
    "insert_user",
    "INSERT INTO public.users (id, email, username, first_name, last_name, role, is_active,"
    " quota_usd, used_usd, settings, created_at, updated_at, password_hash, search)"
    " VALUES (coalesce($1, nextval('public.users_id_seq')), $2, $3, $4, $5, $6, $7, $8, $9, $10,"
    " $11, $12, $13, E'\\x1e' || $14::text)"
    " RETURNING id, version, auth_epoch, pg_current_xact_id()"};
// The number of ids up to $1 that were not assigned yet.
inline constexpr Query kIdsBefore{
    "ids_before",
    "SELECT $1::bigint - CASE WHEN is_called THEN last_value ELSE 0 END FROM public.users_id_seq"};
// The trigger users_use_up_id takes the same lock.
inline constexpr Query kLockIds{
    "lock_ids", "SELECT pg_advisory_xact_lock(hashtextextended('user-manager: ids', 0))"};
inline constexpr Query kPassIds{"pass_ids", "SELECT setval('public.users_id_seq', $1)"};
inline constexpr Query kReserveIds{
    "reserve_ids", "SELECT nextval('public.users_id_seq') FROM generate_series(1, $1::bigint)"};
// Arrays with one element for each row; an empty text stands for null.
inline constexpr Query kInsertUsers{
    "insert_users",
    "INSERT INTO public.users (id, email, username, first_name, last_name, role, is_active,"
    " quota_usd, used_usd, settings, created_at, updated_at, password_hash, search)"
    " SELECT w.id, w.email, nullif(w.username, ''), w.first_name, w.last_name, w.role, w.active <> "
    "0,"
    " nullif(w.quota, '')::numeric, w.used::numeric, nullif(w.settings, '')::json,"
    " w.created::timestamptz, $12::timestamptz, w.hash, E'\\x1e' || w.search"
    " FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],"
    " $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $13::text[], $14::text[])"
    " WITH ORDINALITY AS w (id, email, username, first_name, last_name, role, active, quota, used,"
    " settings, created, hash, search, number) ORDER BY w.number"
    " ON CONFLICT DO NOTHING RETURNING id, email, pg_current_xact_id()"};
// The ids of the users with the id, the address and the username of each row.
inline constexpr Query kFindTaken{
    "find_taken",
    "SELECT i.id, e.id, n.id"
    " FROM unnest($1::bigint[], $2::text[], $3::text[])"
    " WITH ORDINALITY AS w (id, email, username, number)"
    " LEFT JOIN public.users i ON i.id = w.id"
    " LEFT JOIN public.users e ON e.email_folded = w.email"
    " LEFT JOIN public.users n"
    "  ON lower(n.username COLLATE \"C\") = nullif(w.username, '') AND n.username IS NOT NULL"
    " ORDER BY w.number"};
inline constexpr Query kLockUser{
    "lock_user", "SELECT " UM_PG_USER_COLUMNS " FROM public.users u WHERE u.id = $1 FOR UPDATE"};
inline constexpr Query kUpdateUser{
    "update_user",
    "UPDATE public.users SET email = $2, username = $3, first_name = $4, last_name = $5, role = $6,"
    " is_active = $7, quota_usd = $8, settings = $9, updated_at = $10,"
    " auth_epoch = auth_epoch + $11::boolean::integer,"
    " password_hash = coalesce($12, password_hash), search = E'\\x1e' || $13::text WHERE id = $1"
    " RETURNING version, auth_epoch, pg_current_xact_id()"};
inline constexpr Query kDeleteUser{
    "delete_user", "DELETE FROM public.users WHERE id = $1 RETURNING pg_current_xact_id()"};
// Serializes transactions that take the administrator role from a user.
inline constexpr Query kLockAdmins{
    "lock_admins",
    "SELECT pg_advisory_xact_lock(hashtextextended('user-manager: administrators', 0))"};
inline constexpr Query kOtherAdmin{"other_admin",
                                   "SELECT EXISTS (SELECT FROM public.users"
                                   " WHERE role = 'admin' AND is_active AND id <> $1)"};
inline constexpr Query kSetHash{"set_password_hash", "SELECT public.rehash_user($1, $2, $3)"};
inline constexpr Query kEndSessions{
    "end_sessions",
    "UPDATE public.users SET auth_epoch = auth_epoch + 1 WHERE id = $1"
    " RETURNING pg_current_xact_id()"};
inline constexpr Query kInvalidate{
    "invalidate_user",
    "SELECT pg_current_xact_id(), (SELECT email_folded FROM public.users WHERE id = $1),"
    " public.invalidate_user($1)"};

// Usage, many records at once.
inline constexpr Query kLockCounters{
    "lock_counters",
    "SELECT id, used_usd, quota_usd FROM public.users"
    " WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE"};
inline constexpr Query kFindUsageKeys{
    "find_usage_keys",
    "SELECT k.user_id, k.key, k.usd FROM unnest($1::bigint[], $2::text[]) AS w (user_id, key)"
    " JOIN public.usage_keys k USING (user_id, key) WHERE k.created_at > $3"};
inline constexpr Query kAddUsage{
    "add_usage",
    "UPDATE public.users u SET used_usd = u.used_usd + w.usd::numeric"
    " FROM unnest($1::bigint[], $2::text[]) AS w (id, usd) WHERE u.id = w.id"
    " RETURNING pg_current_xact_id()"};
inline constexpr Query kPutUsageKeys{
    "put_usage_keys",
    "INSERT INTO public.usage_keys (user_id, key, usd, created_at)"
    " SELECT w.user_id, w.key, w.usd::numeric, $4::timestamptz"
    " FROM unnest($1::bigint[], $2::text[], $3::text[]) AS w (user_id, key, usd)"
    " ON CONFLICT (user_id, key) DO UPDATE SET usd = excluded.usd, created_at = "
    "excluded.created_at"};
inline constexpr Query kPurgeUsageKeys{
    "purge_usage_keys",
    "DELETE FROM public.usage_keys WHERE (user_id, key) IN (SELECT user_id, key"
    " FROM public.usage_keys WHERE created_at <= $1 ORDER BY created_at LIMIT $2"
    " FOR UPDATE SKIP LOCKED)"};

// Sessions.
inline constexpr Query kSignIn{
    "sign_in",
    "UPDATE public.users u SET last_login_at = $2 WHERE id = $1 AND is_active"
    " AND password_hash = $3 AND password_hash <> '' RETURNING " UM_PG_USER_COLUMNS};
inline constexpr Query kLockActiveUser{"lock_active_user",
                                       "SELECT " UM_PG_USER_COLUMNS
                                       " FROM public.users u WHERE id = $1 AND is_active"
                                       " FOR NO KEY UPDATE"};
// Deletes sessions that are over (expired, or of an earlier epoch), and as many of the oldest
// logins as exceed $4. First row: how many sessions are left, and how many were over. Further rows:
// the ids of the deleted sessions.
inline constexpr Query kMakeRoom{
    "make_room_for_session",
    "WITH mine AS (SELECT id, kind, created_at, expires_at <= $2 OR auth_epoch <> $3 AS dead"
    "  FROM public.sessions WHERE user_id = $1),"
    " gone AS (SELECT id FROM mine WHERE dead UNION ALL"
    "  (SELECT id FROM mine WHERE NOT dead AND kind = 'login' ORDER BY created_at, id"
    "  LIMIT greatest(0, (SELECT count(*) FROM mine WHERE NOT dead) - $4::bigint))),"
    " deleted AS (DELETE FROM public.sessions WHERE id IN (SELECT id FROM gone) RETURNING id)"
    " SELECT (SELECT count(*) FROM mine) - (SELECT count(*) FROM gone), NULL,"
    "  (SELECT count(*) FROM mine WHERE dead)"
    " UNION ALL SELECT NULL, id, NULL FROM deleted"};
inline constexpr Query kInsertSession{
    "insert_session",
    "INSERT INTO public.sessions (id, user_id, auth_epoch, kind, created_at, expires_at, address,"
    " user_agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING pg_current_xact_id()"};
inline constexpr Query kKeepSession{"keep_session",
                                    "UPDATE public.sessions SET auth_epoch = $4 WHERE id = $1"
                                    " AND user_id = $2 AND auth_epoch = $3"};
inline constexpr Query kSessionsOfUser{"sessions_of_user",
                                       "SELECT id FROM public.sessions WHERE user_id = $1"};
inline constexpr Query kRevokeSession{
    "revoke_session",
    "DELETE FROM public.sessions WHERE id = $1 AND user_id = coalesce($2, user_id)"
    " RETURNING pg_current_xact_id()"};
inline constexpr Query kListSessions{
    "list_sessions", "SELECT " UM_PG_SESSION_COLUMNS
                     " FROM public.users u JOIN public.sessions s ON s.user_id = u.id"
                     " WHERE u.id = $1 AND u.is_active AND s.auth_epoch = u.auth_epoch"
                     " AND s.expires_at > $2 ORDER BY s.created_at DESC, s.id COLLATE \"C\""};
inline constexpr Query kPurgeSessions{
    "purge_sessions",
    "DELETE FROM public.sessions WHERE id IN (SELECT id FROM public.sessions WHERE expires_at < $1"
    " ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING id, pg_current_xact_id()"};

// Signing keys.
inline constexpr Query kListKeys{"list_keys",
                                 "SELECT " UM_PG_KEY_COLUMNS
                                 " FROM public.signing_keys WHERE coalesce(verify_until, $1) >= $1"
                                 " AND coalesce(revoked_at, $1) >= $1 ORDER BY number DESC"};
inline constexpr Query kLockKeys{
    "lock_keys", "SELECT pg_advisory_xact_lock(hashtextextended('user-manager: signing keys', 0))"};
inline constexpr Query kSigningKey{
    "signing_key", "SELECT " UM_PG_KEY_COLUMNS
                   " FROM public.signing_keys WHERE retired_at IS NULL AND revoked_at IS NULL"
                   " ORDER BY number DESC LIMIT 1"};
inline constexpr Query kInsertKey{
    "insert_key",
    "INSERT INTO public.signing_keys (kid, public_key, private_key, created_at)"
    " VALUES ($1, $2, $3, $4) RETURNING pg_current_xact_id()"};
inline constexpr Query kRetireKeys{"retire_keys",
                                   "UPDATE public.signing_keys SET retired_at = $1,"
                                   " verify_until = $2 WHERE retired_at IS NULL"};
inline constexpr Query kRevokeKey{
    "revoke_key",
    "UPDATE public.signing_keys SET revoked_at = coalesce(revoked_at, $2)"
    " WHERE kid = $1 RETURNING pg_current_xact_id()"};

// Limits on guessing.
inline constexpr Query kTakeAttempt{
    "take_attempt", "SELECT answer, number FROM public.take_attempt($1, $2, $3, $4, $5)"};
inline constexpr Query kEndAttempt{"end_attempt", "SELECT public.end_attempt($1, $2, $3, $4, $5)"};
inline constexpr Query kPurgeAttempts{"purge_attempts", "SELECT public.purge_attempts($1, $2)"};

// All of them, for statistics.
inline constexpr std::array<const Query*, 51> kAll{&kFindUser,           &kFindUserByEmail,
                                                   &kFindSession,        &kCredentials,
                                                   &kCredentialsByEmail, &kListUsers,
                                                   &kCountUsers,         &kHasAdmin,
                                                   &kTransactionStatus,  &kPing,
                                                   &kSearchWindow,       &kSearchIndex,
                                                   &kSearchWalk,         &kCountWindow,
                                                   &kCountIndex,         &kCountScan,
                                                   &kInsertUser,         &kReserveIds,
                                                   &kInsertUsers,        &kFindTaken,
                                                   &kLockUser,           &kUpdateUser,
                                                   &kDeleteUser,         &kLockAdmins,
                                                   &kOtherAdmin,         &kSetHash,
                                                   &kEndSessions,        &kInvalidate,
                                                   &kLockCounters,       &kFindUsageKeys,
                                                   &kAddUsage,           &kPutUsageKeys,
                                                   &kPurgeUsageKeys,     &kSignIn,
                                                   &kLockActiveUser,     &kMakeRoom,
                                                   &kInsertSession,      &kKeepSession,
                                                   &kSessionsOfUser,     &kRevokeSession,
                                                   &kListSessions,       &kPurgeSessions,
                                                   &kListKeys,           &kLockKeys,
                                                   &kSigningKey,         &kInsertKey,
                                                   &kRetireKeys,         &kRevokeKey,
                                                   &kTakeAttempt,        &kEndAttempt,
                                                   &kPurgeAttempts};

}  // namespace um::postgres_queries
