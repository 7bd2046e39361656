#include "storage/sqlite/queries.hpp"

#include <vector>

#include "drivers/sqlite/writer.hpp"

namespace um::sqlite_queries {

std::vector<const Query*> all() {
  std::vector<const Query*> all{&kFindUser,
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
  const auto own = sqlite::Writer::queries();
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

}  // namespace um::sqlite_queries
