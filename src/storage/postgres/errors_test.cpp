#include <gtest/gtest.h>

#include "storage/postgres/database.hpp"

namespace um {
namespace {

using pg::Failure;

Error refused(std::string sqlstate, std::string constraint = {}) {
  return postgres_error({.kind = Failure::refused,
                         .sqlstate = std::move(sqlstate),
                         .constraint = std::move(constraint),
                         .message = "a secret"});
}

TEST(PostgresErrors, WhatIsTakenIsToldByTheConstraint) {
  EXPECT_EQ(refused("23505", "users_email").code, ErrorCode::email_taken);
  EXPECT_EQ(refused("23505", "users_username").code, ErrorCode::username_taken);
  EXPECT_EQ(refused("23505", "users_pkey").code, ErrorCode::conflict);
  EXPECT_EQ(refused("23505", "signing_keys_kid").code, ErrorCode::conflict);
  EXPECT_EQ(refused("23505").code, ErrorCode::conflict);
}

TEST(PostgresErrors, ValuesThatTheSchemaDoesNotTakeAreInvalid) {
  for (const char* state : {"22021", "22P02", "22003", "22001", "23514"})
    EXPECT_EQ(refused(state).code, ErrorCode::invalid) << state;
}

TEST(PostgresErrors, AServerThatCannotWriteNowIsUnavailableForAWhile) {
  for (const char* state :
       {"25006", "53100", "53200", "40001", "40P01", "55P03", "42P01", "42501"}) {
    EXPECT_EQ(refused(state).code, ErrorCode::unavailable) << state;
    EXPECT_TRUE(refused(state).retry_after) << state;
  }
}

TEST(PostgresErrors, WhatBecameOfTheConnectionIsKept) {
  const auto code = [](Failure::Kind kind) { return postgres_error({.kind = kind}).code; };
  EXPECT_EQ(code(Failure::lost), ErrorCode::unavailable);
  EXPECT_EQ(code(Failure::timeout), ErrorCode::timeout);
  EXPECT_EQ(code(Failure::overloaded), ErrorCode::overloaded);
  EXPECT_EQ(code(Failure::unknown_outcome), ErrorCode::unknown_outcome);
}

TEST(PostgresErrors, NoDetailRepeatsTheServersMessage) {
  for (const char* state : {"23505", "23514", "22021", "25006", "53100", "42601", "XX000"})
    EXPECT_EQ(refused(state, "c").detail.find("secret"), std::string::npos) << state;
  EXPECT_EQ(refused("42601").code, ErrorCode::internal);
}

}  // namespace
}  // namespace um
