#include "storage/postgres/queries.hpp"

namespace um::postgres_queries {

std::vector<const Query*> all() {
  return {&kFindUser,           &kFindUserByEmail,
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
          &kLockActiveUser,       &kMakeRoom,
          &kInsertSession,      &kKeepSession,
          &kSessionsOfUser,     &kRevokeSession,
          &kListSessions,       &kPurgeSessions,
          &kListKeys,           &kLockKeys,
          &kSigningKey,         &kInsertKey,
          &kRetireKeys,         &kRevokeKey,
          &kTakeAttempt,        &kEndAttempt,
          &kPurgeAttempts};
}

}  // namespace um::postgres_queries
