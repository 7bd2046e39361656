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
// The gate and the rules over several rows need a snapshot for each of their statements, whatever
// isolation the database or the role has as its default; and the warning that a commit was not
// replicated has to arrive. A server process that waits for the rest of a batch holds locks: the
// server has to notice within seconds that its client is gone.
inline constexpr const char* kSessionSettings =
    "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false),"
    " set_config('client_encoding', 'UTF8', false), set_config('jit', 'off', false),"
    " set_config('max_parallel_workers_per_gather', '0', false),"
    " set_config('default_transaction_isolation', 'read committed', false),"
    " set_config('client_min_messages', 'warning', false),"
    " set_config('search_path', 'pg_catalog, pg_temp', false),"
    " set_config('tcp_keepalives_idle', '10', false),"
    " set_config('tcp_keepalives_interval', '5', false),"
    " set_config('tcp_keepalives_count', '3', false),"
    " set_config('tcp_user_timeout', '20s', false)";
inline constexpr const char* kSessionNote = "SELECT public.cache_namespace()";

inline constexpr Query kFindUser{
    "find_user", "SELECT pg_current_snapshot(), " UM_PG_USER_COLUMNS
                 " FROM (SELECT) AS one LEFT JOIN ONLY public.users u ON u.id = $1"};
inline constexpr Query kFindUserByEmail{
    "find_user_by_email",
    "SELECT pg_current_snapshot(), " UM_PG_USER_COLUMNS
    " FROM (SELECT) AS one LEFT JOIN ONLY public.users u ON u.email_folded = $1"};
inline constexpr Query kFindSession{
    "find_session", "SELECT pg_current_snapshot(), " UM_PG_SESSION_COLUMNS
                    " FROM (SELECT) AS one LEFT JOIN ONLY public.sessions s ON s.id = $1"};

inline constexpr Query kCredentials{"credentials",
                                    "SELECT " UM_PG_USER_COLUMNS
                                    ", u.password_hash FROM ONLY public.users u WHERE u.id = $1"};
inline constexpr Query kCredentialsByEmail{
    "credentials_by_email", "SELECT " UM_PG_USER_COLUMNS
                            ", u.password_hash FROM ONLY public.users u WHERE u.email_folded = $1"};
inline constexpr Query kListUsers{"list_users", "SELECT " UM_PG_USER_COLUMNS
                                                " FROM ONLY public.users u WHERE u.id > $1"
                                                " ORDER BY u.id OFFSET $2 LIMIT $3"};
inline constexpr Query kCountUsers{"count_users", "SELECT count(*) FROM ONLY public.users"};
inline constexpr Query kHasAdmin{
    "has_admin",
    "SELECT EXISTS (SELECT FROM ONLY public.users WHERE role = 'admin' AND is_active)"};

// The status of a transaction: committed, aborted, in progress; null if it ended too long ago.
inline constexpr Query kTransactionStatus{"transaction_status",
                                          "SELECT pg_xact_status($1::text::xid8)"};
// A commit of its own that waits for what every commit waits for: earlier ones are as safe then.
inline constexpr Query kConfirmCommits{
    "confirm_commits",
    "SELECT CASE WHEN current_setting('synchronous_commit') = 'off'"
    " THEN set_config('synchronous_commit', 'on', true) END,"
    " pg_logical_emit_message(true, 'user-manager', '')"};
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
    "  FROM (SELECT id FROM (SELECT id, search FROM ONLY public.users WHERE id > $1 ORDER BY id "
    "LIMIT "
    "$3)"
    "  w WHERE strpos(search, $2) > 0 LIMIT $4::integer + $5::integer) h) x"
    " LEFT JOIN ONLY public.users u ON u.id = ANY (x.ids) ORDER BY u.id"};
// Only the index of trigrams finds the candidates: combined with `id > $1` the planner would read
// most of the primary key's index as well.
inline constexpr Query kSearchIndex{
    "search_users_by_index",
    "WITH candidates AS MATERIALIZED (SELECT id, search FROM ONLY public.users"
    "  WHERE public.search_grams(search) @@ public.search_query($2)),"
    " hits AS MATERIALIZED (SELECT id FROM candidates WHERE id > $1 AND strpos(search, $2) > 0"
    "  ORDER BY id OFFSET $3 LIMIT $4)"
    " SELECT " UM_PG_USER_COLUMNS " FROM hits JOIN ONLY public.users u USING (id) ORDER BY u.id"};
inline constexpr Query kSearchWalk{
    "search_users_by_walk", "SELECT " UM_PG_USER_COLUMNS
                            " FROM ONLY public.users u WHERE u.id > $1"
                            " AND strpos(u.search, $2) > 0 ORDER BY u.id OFFSET $3 LIMIT $4"};
// The number of users among the first $2, and of those that match $1.
inline constexpr Query kCountWindow{
    "count_search_window",
    "SELECT count(*), count(*) FILTER (WHERE strpos(search, $1) > 0)"
    " FROM (SELECT search FROM ONLY public.users ORDER BY id LIMIT $2) w"};
inline constexpr Query kCountIndex{
    "count_search",
    "WITH candidates AS MATERIALIZED (SELECT search FROM ONLY public.users"
    "  WHERE public.search_grams(search) @@ public.search_query($1))"
    " SELECT count(*) FROM candidates WHERE strpos(search, $1) > 0"};
inline constexpr Query kCountScan{
    "count_search_by_scan", "SELECT count(*) FROM ONLY public.users WHERE strpos(search, $1) > 0"};

// Writing users. The triggers assign version, counters_version and auth_epoch, and record the
// changed cache keys. U+001E in front of a search text says that the program folded it.
inline constexpr Query kDrawId{"draw_id", "SELECT nextval('public.users_id_seq')"};
inline constexpr Query kInsertUser{
    "insert_user",
    "INSERT INTO public.users (id, email, username, first_name, last_name, role, is_active,"
    " quota_usd, settings, used_usd, created_at, updated_at, password_hash, search)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, E'\\x1e' || $14::text)"
    " RETURNING version, auth_epoch"};
// The number of ids up to $1 that were not assigned yet.
inline constexpr Query kIdsBefore{
    "ids_before",
    "SELECT $1::bigint - CASE WHEN is_called THEN last_value ELSE 0 END FROM public.users_id_seq"};
// The trigger users_use_up_id takes the same lock.
inline constexpr Query kLockIds{"lock_ids", "SELECT public.take_rule_lock('ids')"};
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
    " LEFT JOIN ONLY public.users i ON i.id = w.id"
    " LEFT JOIN ONLY public.users e ON e.email_folded = w.email"
    " LEFT JOIN ONLY public.users n"
    "  ON lower(n.username COLLATE \"C\") = nullif(w.username, '') AND n.username IS NOT NULL"
    " ORDER BY w.number"};
// The row is changed only if it is as it was read ($1 and $2 to $13, in the order of as_read() in
// user_store.cpp): the version alone would not do, because after a failover the same version can
// stand for other content, and it does not change with auth_epoch. Otherwise refuse_row() raises,
// and the transaction with its gate is rolled back. No row: there is no such user.
#define UM_PG_AS_READ                                                                           \
  "id = $1 AND (version = $2 AND auth_epoch = $13 AND (email, username, first_name, last_name," \
  " role, is_active, quota_usd, settings::text, created_at, updated_at) IS NOT DISTINCT FROM"   \
  " ($3::text, $4::text, $5::text, $6::text, $7::text, $8::boolean, $9::numeric, $10::text,"    \
  " $11::timestamptz, $12::timestamptz) OR public.refuse_row())"
// Returns what the database assigns: read_assigned().
inline constexpr Query kUpdateUser{
    "update_user",
    "UPDATE ONLY public.users SET email = $14, username = $15, first_name = $16,"
    "  last_name = $17, role = $18, is_active = $19, quota_usd = $20, settings = $21,"
    "  updated_at = $22, auth_epoch = auth_epoch + $23::boolean::integer,"
    "  password_hash = coalesce($24, password_hash), search = E'\\x1e' || $25::text"
    "  WHERE " UM_PG_AS_READ
    " RETURNING used_usd, last_login_at, version, counters_version, auth_epoch"};
// The session $1 of the user $2, with the former epoch $3, stays alive through a change of the
// password.
inline constexpr Query kKeepSession{
    "keep_session",
    "UPDATE ONLY public.sessions s SET auth_epoch = u.auth_epoch FROM ONLY public.users u"
    " WHERE s.id = $1 AND s.user_id = $2 AND s.auth_epoch = $3 AND u.id = $2"};
inline constexpr Query kDeleteUser{
    "delete_user", "DELETE FROM ONLY public.users WHERE " UM_PG_AS_READ " RETURNING id"};
// Before a statement that takes the administrator role from a user.
inline constexpr Query kKeepAnAdmin{"keep_an_admin", "SELECT public.keep_an_admin($1)"};
inline constexpr Query kSetHash{"set_password_hash", "SELECT public.rehash_user($1, $2, $3)"};
inline constexpr Query kEndSessions{
    "end_sessions",
    "UPDATE ONLY public.users SET auth_epoch = auth_epoch + 1 WHERE id = $1 RETURNING id"};
inline constexpr Query kInvalidate{"invalidate_user", "SELECT public.invalidate_user($1)"};

// Usage, many records at once.
inline constexpr Query kLockCounters{
    "lock_counters",
    "SELECT id, used_usd, quota_usd FROM ONLY public.users"
    " WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE"};
inline constexpr Query kFindUsageKeys{
    "find_usage_keys",
    "SELECT k.user_id, k.key, k.usd FROM unnest($1::bigint[], $2::text[]) AS w (user_id, key)"
    " JOIN public.usage_keys k USING (user_id, key) WHERE k.created_at > $3"};
inline constexpr Query kAddUsage{
    "add_usage",
    "UPDATE ONLY public.users u SET used_usd = u.used_usd + w.usd::numeric"
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
    "UPDATE ONLY public.users u SET last_login_at = $2 WHERE id = $1 AND is_active"
    " AND password_hash = $3 AND password_hash <> '' RETURNING " UM_PG_USER_COLUMNS};
inline constexpr Query kLockActiveUser{"lock_active_user",
                                       "SELECT " UM_PG_USER_COLUMNS
                                       " FROM ONLY public.users u WHERE id = $1 AND is_active"
                                       " FOR NO KEY UPDATE"};
// Deletes sessions that are over (expired, or of an earlier epoch), and as many of the oldest
// logins as exceed $4. First row: how many sessions are left, and how many were over. Further rows:
// the ids of the deleted sessions.
inline constexpr Query kMakeRoom{
    "make_room_for_session",
    "WITH mine AS (SELECT id, kind, created_at, expires_at <= $2 OR auth_epoch <> $3 AS dead"
    "  FROM ONLY public.sessions WHERE user_id = $1),"
    " gone AS (SELECT id FROM mine WHERE dead UNION ALL"
    "  (SELECT id FROM mine WHERE NOT dead AND kind = 'login' ORDER BY created_at, id"
    "  LIMIT greatest(0, (SELECT count(*) FROM mine WHERE NOT dead) - $4::bigint))),"
    " deleted AS (DELETE FROM ONLY public.sessions WHERE id IN (SELECT id FROM gone) RETURNING id)"
    " SELECT (SELECT count(*) FROM mine) - (SELECT count(*) FROM gone), NULL,"
    "  (SELECT count(*) FROM mine WHERE dead)"
    " UNION ALL SELECT NULL, id, NULL FROM deleted"};
inline constexpr Query kInsertSession{
    "insert_session",
    "INSERT INTO public.sessions (id, user_id, auth_epoch, kind, created_at, expires_at, address,"
    " user_agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING pg_current_xact_id()"};
inline constexpr Query kRevokeSession{
    "revoke_session",
    "DELETE FROM ONLY public.sessions WHERE id = $1 AND user_id = coalesce($2, user_id)"
    " RETURNING id"};
inline constexpr Query kListSessions{
    "list_sessions", "SELECT " UM_PG_SESSION_COLUMNS
                     " FROM ONLY public.users u JOIN ONLY public.sessions s ON s.user_id = u.id"
                     " WHERE u.id = $1 AND u.is_active AND s.auth_epoch = u.auth_epoch"
                     " AND s.expires_at > $2 ORDER BY s.created_at DESC, s.id COLLATE \"C\""};
inline constexpr Query kPurgeSessions{
    "purge_sessions",
    "DELETE FROM ONLY public.sessions WHERE id IN (SELECT id FROM ONLY public.sessions WHERE "
    "expires_at < $1"
    " ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING id, pg_current_xact_id()"};

// Signing keys.
inline constexpr Query kListKeys{
    "list_keys", "SELECT " UM_PG_KEY_COLUMNS
                 " FROM ONLY public.signing_keys WHERE coalesce(verify_until, $1) >= $1"
                 " AND coalesce(revoked_at, $1) >= $1 ORDER BY number DESC"};
inline constexpr Query kLockKeys{"lock_keys", "SELECT public.take_rule_lock('signing keys')"};
inline constexpr Query kSigningKey{
    "signing_key", "SELECT " UM_PG_KEY_COLUMNS
                   " FROM ONLY public.signing_keys WHERE retired_at IS NULL AND revoked_at IS NULL"
                   " ORDER BY number DESC LIMIT 1"};
inline constexpr Query kInsertKey{
    "insert_key",
    "INSERT INTO public.signing_keys (kid, public_key, private_key, created_at)"
    " VALUES ($1, $2, $3, $4) RETURNING pg_current_xact_id()"};
inline constexpr Query kRetireKeys{"retire_keys",
                                   "UPDATE ONLY public.signing_keys SET retired_at = $1,"
                                   " verify_until = $2 WHERE retired_at IS NULL"};
inline constexpr Query kRevokeKey{
    "revoke_key",
    "UPDATE ONLY public.signing_keys SET revoked_at = coalesce(revoked_at, $2)"
    " WHERE kid = $1 RETURNING pg_current_xact_id()"};

// Strict writes (strict_writes.hpp).
inline constexpr Query kPlaceHolds{"place_holds",
                                   "SELECT public.place_holds($1::uuid[], $2::bytea[])"};
inline constexpr Query kDropHolds{"drop_holds", "SELECT public.drop_holds($1::uuid[])"};
inline constexpr Query kWithdrawHold{"withdraw_hold", "SELECT public.withdraw_hold($1::uuid)"};
inline constexpr Query kStrictGate{
    "strict_gate", "SELECT public.strict_gate($1, $2::uuid, $3::text[], $4::uuid, $5)"};
// The registry, and the acknowledgements by transactions after $1.
inline constexpr Query kAckBoard{
    "read_acknowledgements",
    "SELECT id, xid, seen::text, name FROM public.acknowledgements($1::text::xid8)"};
// Whether the process $1 of the server is there, to be asked after its connection was lost. One
// that is idle has run everything that reached it, or will run what still reaches it: it is ended.
inline constexpr Query kServerProcess{
    "server_process",
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1),"
    " (SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = $1"
    "   AND state = 'idle' AND usename = current_user AND datname = current_database())"};
// The namespace and the settings that belong to it.
inline constexpr Query kDeploymentTerms{
    "deployment_terms",
    "SELECT public.cache_namespace(), epoch, mode, staleness_bound_ms, former_staleness_bound_ms"
    " FROM public.cache_settings"};

// Upkeep (upkeep.hpp). The instances of the registry, and whether their session has ended.
inline constexpr Query kListInstances{
    "list_instances",
    "SELECT id, refreshes, protocol, name, public.session_has_ended(id)"
    " FROM public.cache_instances"};
// Skips a row that is locked: a stopped backend would hold up the removal of the others.
inline constexpr Query kExpelInstance{
    "expel_instance",
    "DELETE FROM public.cache_instances WHERE ctid = ANY (ARRAY("
    "SELECT i.ctid FROM public.cache_instances i WHERE i.id = $1::uuid AND i.refreshes = $2"
    " FOR UPDATE SKIP LOCKED))"};
inline constexpr Query kForgetFormerBound{
    "forget_former_bound",
    "UPDATE public.cache_settings SET former_staleness_bound_ms = staleness_bound_ms"
    " WHERE epoch = $1 AND former_staleness_bound_ms > staleness_bound_ms"};
inline constexpr Query kPurgeAcks{"purge_acknowledgements", "SELECT public.purge_acks()"};
inline constexpr Query kTakeMark{"take_snapshot_mark", "SELECT public.take_snapshot_mark()"};
inline constexpr Query kPurgeChanges{
    "purge_changes",
    "SELECT purged, horizon::text, next_since::text"
    " FROM public.purge_changes($1, $2::pg_snapshot, $3::text::xid8)"};

// Limits on guessing.
inline constexpr Query kTakeAttempt{
    "take_attempt", "SELECT answer, number FROM public.take_attempt($1, $2, $3, $4, $5)"};
inline constexpr Query kEndAttempt{"end_attempt", "SELECT public.end_attempt($1, $2, $3, $4, $5)"};
inline constexpr Query kPurgeAttempts{"purge_attempts", "SELECT public.purge_attempts($1, $2)"};

// All of them, for statistics.
inline constexpr std::array<const Query*, 66> kAll{&kFindUser,
                                                   &kFindUserByEmail,
                                                   &kFindSession,
                                                   &kCredentials,
                                                   &kCredentialsByEmail,
                                                   &kListUsers,
                                                   &kCountUsers,
                                                   &kHasAdmin,
                                                   &kTransactionStatus,
                                                   &kPing,
                                                   &kSearchWindow,
                                                   &kSearchIndex,
                                                   &kSearchWalk,
                                                   &kCountWindow,
                                                   &kCountIndex,
                                                   &kCountScan,
                                                   &kDrawId,
                                                   &kInsertUser,
                                                   &kIdsBefore,
                                                   &kLockIds,
                                                   &kPassIds,
                                                   &kReserveIds,
                                                   &kInsertUsers,
                                                   &kFindTaken,
                                                   &kUpdateUser,
                                                   &kKeepSession,
                                                   &kDeleteUser,
                                                   &kKeepAnAdmin,
                                                   &kSetHash,
                                                   &kEndSessions,
                                                   &kInvalidate,
                                                   &kLockCounters,
                                                   &kFindUsageKeys,
                                                   &kAddUsage,
                                                   &kPutUsageKeys,
                                                   &kPurgeUsageKeys,
                                                   &kSignIn,
                                                   &kLockActiveUser,
                                                   &kMakeRoom,
                                                   &kInsertSession,
                                                   &kRevokeSession,
                                                   &kListSessions,
                                                   &kPurgeSessions,
                                                   &kListKeys,
                                                   &kLockKeys,
                                                   &kSigningKey,
                                                   &kInsertKey,
                                                   &kRetireKeys,
                                                   &kRevokeKey,
                                                   &kPlaceHolds,
                                                   &kDropHolds,
                                                   &kWithdrawHold,
                                                   &kStrictGate,
                                                   &kAckBoard,
                                                   &kServerProcess,
                                                   &kConfirmCommits,
                                                   &kDeploymentTerms,
                                                   &kListInstances,
                                                   &kExpelInstance,
                                                   &kForgetFormerBound,
                                                   &kPurgeAcks,
                                                   &kTakeMark,
                                                   &kPurgeChanges,
                                                   &kTakeAttempt,
                                                   &kEndAttempt,
                                                   &kPurgeAttempts};

}  // namespace um::postgres_queries
