// StorageUnderTest: a storage for the contract suites. SQLite, PostgreSQL, and a cache around
// either implement it, and the same suites are instantiated for each of them:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, UserStoreContract, ::testing::Values(sqlite_backend()),
//   name_of);
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "storage/storage.hpp"
#include "support/run_task.hpp"

namespace um::test {

class StorageUnderTest {
 public:
  virtual ~StorageUnderTest() = default;
  virtual Storage& storage() = 0;
  virtual UserStore& users() { return storage().users(); }
  virtual SessionStore& sessions() { return storage().sessions(); }
  // The clock of the storage; tests advance it.
  virtual ManualClock& clock() = 0;
  // Commits a change of a user's last name as another program would, without the storage.
  virtual void rename_elsewhere(UserId id, std::string last_name) = 0;
};

struct Backend {
  std::string name;
  std::function<std::unique_ptr<StorageUnderTest>()> make;
};
inline void PrintTo(const Backend& backend, std::ostream* out) {
  *out << backend.name;
}
inline std::string name_of(const ::testing::TestParamInfo<Backend>& info) {
  return info.param.name;
}

// A SQLite file in a temporary directory; a database of a PostgreSQL server.
Backend sqlite_backend();
Backend postgres_backend();

// The fixture of all suites. Its helpers throw, and so fail the test, if a call does not succeed.
class StorageContract : public ::testing::TestWithParam<Backend> {
 protected:
  static constexpr Deadline kNever{};

  UserStore& users() { return under_test_->users(); }
  SessionStore& sessions() { return under_test_->sessions(); }
  SigningKeyStore& keys() { return under_test_->storage().signing_keys(); }
  ChangeFeed& changes() { return under_test_->storage().changes(); }
  Storage& storage() { return under_test_->storage(); }
  ManualClock& clock() { return under_test_->clock(); }
  StorageUnderTest& under_test() { return *under_test_; }

  static Email email(std::string_view text) { return Email::parse(text).value(); }
  static NewUser named(std::string_view address) { return {.email = email(address)}; }
  static NewUser admin(std::string_view address) {
    NewUser user = named(address);
    user.role = Role::admin;
    return user;
  }

  UserRef insert(NewUser user) {
    auto inserted = run(users().insert(std::move(user), kNever));
    if (!inserted) throw std::runtime_error("insert: " + inserted.error().detail);
    return *inserted;
  }
  UserRef find(UserId id) {
    auto found = run(users().find(id, primary()));
    if (!found) throw std::runtime_error("find: " + found.error().detail);
    return found->value;
  }
  UserRef find(const Email& address) {
    auto found = run(users().find(address, primary()));
    if (!found) throw std::runtime_error("find: " + found.error().detail);
    return found->value;
  }
  Result<UserRef> update(UserId id, UserChange change) {
    return run(users().update({.id = id, .change = std::move(change)}, kNever));
  }

  Result<CreatedSession> create_session(NewSession session) {
    return run(sessions().create(std::move(session), kNever));
  }
  NewSession login(UserId user, std::string_view hash) {
    NewSession session{.id = SessionId::random(), .user_id = user};
    session.created_at = clock().wall_now();
    session.expires_at = clock().wall_now() + std::chrono::hours{24};
    session.verified_hash = Secret{std::string{hash}};
    return session;
  }
  SessionRef find(const SessionId& id) {
    auto found = run(sessions().find(id, primary()));
    if (!found) throw std::runtime_error("find session: " + found.error().detail);
    return found->value;
  }

  static ReadOptions primary() { return {.from_primary = true}; }
  template <class T>
  static ErrorCode code(const Result<T>& result) {
    if (result) throw std::runtime_error("an error was expected");
    return result.error().code;
  }

 private:
  std::unique_ptr<StorageUnderTest> under_test_ = GetParam().make();
};

class UserStoreContract : public StorageContract {};
class UserSearchContract : public StorageContract {
 protected:
  using Names = std::vector<std::string>;  // first names

  UserId add(std::string_view first, std::string_view last, std::string_view address) {
    NewUser user = named(address);
    user.first_name = first;
    user.last_name = last;
    return insert(user)->user.id;
  }
  Names search(std::string_view keyword, Page page = {}) {
    return names(run(users().search(std::string{keyword}, page, kNever)));
  }
  Names list(Page page) { return names(run(users().list(page, kNever))); }
  std::int64_t count(std::string_view keyword) {
    return run(users().count(std::string{keyword}, kNever)).value();
  }

 private:
  static Names names(const Result<std::vector<UserRef>>& found) {
    if (!found) throw std::runtime_error("search: " + found.error().detail);
    Names all;
    for (const UserRef& user : *found) all.push_back(user->user.first_name);
    return all;
  }
};
class UserStoreConcurrencyContract : public StorageContract {};
class SessionStoreContract : public StorageContract {};
class SigningKeyStoreContract : public StorageContract {};
class ChangeFeedContract : public StorageContract {};

}  // namespace um::test
