// Every statement of the SQLite stores with its name, which statistics and logs use.
//
// A query that returns facts for the cache has the number of commits as its first column. The same
// statement reads it and the row; if there is no row it returns the number and nulls.
#pragma once

#include <array>

#include "drivers/sqlite/connection.hpp"

namespace um::sqlite_queries {

using sqlite::Query;

// The order that read_user() expects. Only the two credentials queries return the password hash.
#define UM_USER_COLUMNS                                                                         \
  "u.id, u.email, u.username, u.first_name, u.last_name, u.role, u.is_active, u.quota_micros, " \
  "u.used_micros, u.settings, u.created_at, u.updated_at, u.last_login_at, u.version, "         \
  "u.counters_version, u.auth_epoch"
#define UM_SESSION_COLUMNS \
  "s.id, s.user_id, s.auth_epoch, s.kind, s.created_at, s.expires_at, s.address, s.user_agent"
#define UM_KEY_COLUMNS \
  "kid, public_key, private_key, created_at, retired_at, verify_until, revoked_at"

inline constexpr Query kFindUser{
    "find_user", "SELECT c.value, " UM_USER_COLUMNS
                 " FROM sequences c LEFT JOIN users u ON u.id = ?1 WHERE c.name = 'commit'"};
inline constexpr Query kFindUserByEmail{"find_user_by_email",
                                        "SELECT c.value, " UM_USER_COLUMNS
                                        " FROM sequences c LEFT JOIN users u ON u.email = ?1"
                                        " WHERE c.name = 'commit'"};
inline constexpr Query kLoadUser{"load_user",
                                 "SELECT " UM_USER_COLUMNS " FROM users u WHERE u.id = ?1"};
inline constexpr Query kCredentials{
    "credentials", "SELECT " UM_USER_COLUMNS ", u.password_hash FROM users u WHERE u.id = ?1"};
inline constexpr Query kCredentialsByEmail{"credentials_by_email",
                                           "SELECT " UM_USER_COLUMNS
                                           ", u.password_hash FROM users u WHERE u.email = ?1"};
// No limit: the reader stops at the end of the page.
inline constexpr Query kListUsers{"list_users",
                                  "SELECT " UM_USER_COLUMNS
                                  " FROM users u WHERE u.id > ?1 ORDER BY u.id LIMIT -1 OFFSET ?2"};
inline constexpr Query kCountUsers{"count_users", "SELECT count(*) FROM users"};
inline constexpr Query kHasAdmin{
    "has_admin", "SELECT EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND is_active = 1)"};
inline constexpr Query kOtherAdmin{"other_admin",
                                   "SELECT EXISTS (SELECT 1 FROM users"
                                   " WHERE role = 'admin' AND is_active = 1 AND id <> ?1)"};

// ?1 match expression or keyword, ?2 keyword, ?3 after; CROSS JOIN keeps the order of the loops.
inline constexpr Query kSearchTrigrams{
    "search_users",
    "SELECT s.id FROM user_trigrams t CROSS JOIN user_search s ON s.id = t.rowid"
    " WHERE t.user_trigrams MATCH ?1 AND t.rowid > ?3 AND instr(s.text, ?2) > 0"
    " ORDER BY t.rowid LIMIT ?4 OFFSET ?5"};
inline constexpr Query kCountTrigrams{
    "count_search",
    "SELECT count(*) FROM user_trigrams t CROSS JOIN user_search s"
    " ON s.id = t.rowid WHERE t.user_trigrams MATCH ?1 AND instr(s.text, ?2) > 0"};
inline constexpr Query kScanSearch{"scan_search",
                                   "SELECT id FROM user_search WHERE id > ?2 AND id <= ?3"
                                   " AND instr(text, ?1) > 0 ORDER BY id LIMIT ?4"};
inline constexpr Query kScanEnd{"scan_search_end",
                                "SELECT id FROM user_search WHERE id > ?1 ORDER BY id LIMIT 1"
                                " OFFSET ?2"};
inline constexpr Query kScanCount{"scan_count",
                                  "SELECT count(*) FROM user_search WHERE instr(text, ?1) > 0"};
inline constexpr Query kTermsBetween{"search_terms",
                                     "SELECT term FROM user_trigram_terms"
                                     " WHERE term >= ?1 AND term < ?2 LIMIT ?3"};

inline constexpr Query kNextVersion{
    "next_version",
    "UPDATE sequences SET value = value + 1 WHERE name = 'version' RETURNING value"};
inline constexpr Query kNextEpoch{
    "next_epoch",
    "UPDATE sequences SET value = value + 1 WHERE name = 'auth_epoch' RETURNING value"};
inline constexpr Query kNextCommit{
    "next_commit", "UPDATE sequences SET value = value + 1 WHERE name = 'commit' RETURNING value"};
inline constexpr Query kCommits{"commits", "SELECT value FROM sequences WHERE name = 'commit'"};
inline constexpr Query kDataVersion{"data_version", "PRAGMA data_version"};
inline constexpr Query kBeginRead{"begin_read", "BEGIN"};
inline constexpr Query kEndRead{"end_read", "COMMIT"};

inline constexpr Query kInsertUser{
    "insert_user",
    "INSERT INTO users (id, email, username, first_name, last_name, role, is_active, quota_micros,"
    " used_micros, settings, created_at, updated_at, version, auth_epoch, password_hash)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"};
inline constexpr Query kUpdateUser{
    "update_user",
    "UPDATE users SET email = ?2, username = ?3, first_name = ?4, last_name = ?5, role = ?6,"
    " is_active = ?7, quota_micros = ?8, settings = ?9, updated_at = ?10, version = ?11,"
    " auth_epoch = ?12, password_hash = coalesce(?13, password_hash) WHERE id = ?1"};
inline constexpr Query kDeleteUser{"delete_user", "DELETE FROM users WHERE id = ?1"};
inline constexpr Query kIdTaken{"id_taken", "SELECT 1 FROM users WHERE id = ?1"};
// After this no id up to ?1 is assigned. The sequence's row must exist.
inline constexpr Query kPassIds{
    "pass_ids", "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'users' AND seq < ?1"};
// Makes the sequence's row, which SQLite makes with the first user.
inline constexpr Query kMakeIdSequence{
    "make_id_sequence",
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'users', 0"
    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'users')"};
inline constexpr Query kHasIdAndEmail{"has_id_and_email",
                                      "SELECT 1 FROM users WHERE id = ?1 AND email = ?2"};
inline constexpr Query kEmailTaken{"email_taken",
                                   "SELECT 1 FROM users WHERE email = ?1 AND id <> ?2"};
inline constexpr Query kUsernameTaken{"username_taken",
                                      "SELECT 1 FROM users WHERE username = ?1 AND id <> ?2"};
inline constexpr Query kInsertSearch{"insert_search", "INSERT INTO user_search VALUES (?1, ?2)"};
inline constexpr Query kUpdateSearch{"update_search",
                                     "UPDATE user_search SET text = ?2 WHERE id = ?1"};
// Returns the former epoch: RETURNING does not see changes of AFTER triggers.
inline constexpr Query kSetHash{"set_password_hash",
                                "UPDATE users SET password_hash = ?3 WHERE id = ?1"
                                " AND password_hash = ?2 RETURNING auth_epoch"};
inline constexpr Query kSetEpoch{"set_epoch", "UPDATE users SET auth_epoch = ?2 WHERE id = ?1"};

inline constexpr Query kAddUsage{
    "add_usage",
    "UPDATE users SET used_micros = used_micros + ?2, counters_version = counters_version + 1"
    " WHERE id = ?1 AND used_micros + ?2 <= ?3 RETURNING used_micros, quota_micros"};
inline constexpr Query kUsageTotals{"usage_totals",
                                    "SELECT used_micros, quota_micros FROM users WHERE id = ?1"};
inline constexpr Query kFindUsageKey{
    "find_usage_key",
    "SELECT micros FROM usage_keys WHERE user_id = ?1 AND key = ?2 AND created_at > ?3"};
inline constexpr Query kPutUsageKey{"put_usage_key",
                                    "INSERT OR REPLACE INTO usage_keys VALUES (?1, ?2, ?3, ?4)"};
inline constexpr Query kPurgeUsageKeys{
    "purge_usage_keys",
    "DELETE FROM usage_keys WHERE (user_id, key) IN (SELECT user_id, key FROM usage_keys"
    " WHERE created_at <= ?1 ORDER BY created_at LIMIT ?2)"};

inline constexpr Query kFindSession{
    "find_session", "SELECT c.value, " UM_SESSION_COLUMNS
                    " FROM sequences c LEFT JOIN sessions s ON s.id = ?1 WHERE c.name = 'commit'"};
inline constexpr Query kSignIn{
    "sign_in",
    "UPDATE users SET last_login_at = ?2, counters_version = counters_version + 1"
    " WHERE id = ?1 AND is_active = 1 AND password_hash = ?3 AND password_hash <> ''"
    " RETURNING id"};
inline constexpr Query kActiveUser{
    "active_user", "SELECT " UM_USER_COLUMNS " FROM users u WHERE id = ?1 AND is_active = 1"};
inline constexpr Query kInsertSession{
    "insert_session", "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};
// Deletes sessions that are over: expired, or of an earlier epoch.
inline constexpr Query kDeadSessionsOfUser{
    "delete_dead_sessions",
    "DELETE FROM sessions WHERE user_id = ?1 AND (expires_at <= ?2 OR auth_epoch <> ?3)"
    " RETURNING id"};
inline constexpr Query kCountSessions{"count_sessions",
                                      "SELECT count(*) FROM sessions WHERE user_id = ?1"};
inline constexpr Query kMakeRoom{
    "delete_oldest_sessions",
    "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = ?1"
    " AND kind = 'login' ORDER BY created_at, id LIMIT ?2) RETURNING id"};
inline constexpr Query kKeepSession{"keep_session",
                                    "UPDATE sessions SET auth_epoch = ?4 WHERE id = ?1"
                                    " AND user_id = ?2 AND auth_epoch = ?3"};
inline constexpr Query kSessionsOfUser{"sessions_of_user",
                                       "SELECT id FROM sessions WHERE user_id = ?1"};
inline constexpr Query kRevokeSession{
    "revoke_session", "DELETE FROM sessions WHERE id = ?1 AND user_id = coalesce(?2, user_id)"};
inline constexpr Query kListSessions{
    "list_sessions", "SELECT " UM_SESSION_COLUMNS
                     " FROM users u JOIN sessions s ON s.user_id = u.id"
                     " WHERE u.id = ?1 AND u.is_active = 1 AND s.auth_epoch = u.auth_epoch"
                     " AND s.expires_at > ?2 ORDER BY s.created_at DESC, s.id"};
inline constexpr Query kPurgeSessions{
    "purge_sessions",
    "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < ?1"
    " ORDER BY expires_at LIMIT ?2) RETURNING id"};

inline constexpr Query kListKeys{"list_keys",
                                 "SELECT " UM_KEY_COLUMNS
                                 " FROM signing_keys WHERE coalesce(verify_until, ?1) >= ?1"
                                 " AND coalesce(revoked_at, ?1) >= ?1 ORDER BY number DESC"};
inline constexpr Query kSigningKey{
    "signing_key", "SELECT " UM_KEY_COLUMNS
                   " FROM signing_keys"
                   " WHERE retired_at IS NULL AND revoked_at IS NULL ORDER BY number DESC LIMIT 1"};
inline constexpr Query kInsertKey{
    "insert_key",
    "INSERT INTO signing_keys (kid, public_key, private_key, created_at) VALUES (?1, ?2, ?3, ?4)"};
inline constexpr Query kRetireKeys{"retire_keys",
                                   "UPDATE signing_keys SET retired_at = ?1, verify_until = ?2"
                                   " WHERE retired_at IS NULL"};
inline constexpr Query kRevokeKey{
    "revoke_key", "UPDATE signing_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE kid = ?1"};

inline constexpr Query kFindKey{"find_key", "SELECT 1 FROM signing_keys WHERE kid = ?1"};

inline constexpr Query kPing{"ping", "SELECT count(*) FROM sequences"};

// All of them, for statistics.
inline constexpr std::array<const Query*, 56> kAll{&kFindUser,
                                                   &kFindUserByEmail,
                                                   &kLoadUser,
                                                   &kCredentials,
                                                   &kCredentialsByEmail,
                                                   &kListUsers,
                                                   &kCountUsers,
                                                   &kHasAdmin,
                                                   &kOtherAdmin,
                                                   &kSearchTrigrams,
                                                   &kCountTrigrams,
                                                   &kScanSearch,
                                                   &kScanEnd,
                                                   &kScanCount,
                                                   &kTermsBetween,
                                                   &kNextVersion,
                                                   &kNextEpoch,
                                                   &kNextCommit,
                                                   &kCommits,
                                                   &kDataVersion,
                                                   &kBeginRead,
                                                   &kEndRead,
                                                   &kInsertUser,
                                                   &kUpdateUser,
                                                   &kDeleteUser,
                                                   &kIdTaken,
                                                   &kEmailTaken,
                                                   &kUsernameTaken,
                                                   &kInsertSearch,
                                                   &kUpdateSearch,
                                                   &kSetHash,
                                                   &kSetEpoch,
                                                   &kAddUsage,
                                                   &kUsageTotals,
                                                   &kFindUsageKey,
                                                   &kPutUsageKey,
                                                   &kPurgeUsageKeys,
                                                   &kFindSession,
                                                   &kSignIn,
                                                   &kActiveUser,
                                                   &kInsertSession,
                                                   &kDeadSessionsOfUser,
                                                   &kCountSessions,
                                                   &kMakeRoom,
                                                   &kKeepSession,
                                                   &kSessionsOfUser,
                                                   &kRevokeSession,
                                                   &kListSessions,
                                                   &kPurgeSessions,
                                                   &kListKeys,
                                                   &kSigningKey,
                                                   &kInsertKey,
                                                   &kRetireKeys,
                                                   &kRevokeKey,
                                                   &kFindKey,
                                                   &kPing};

}  // namespace um::sqlite_queries
