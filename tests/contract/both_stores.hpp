// BothStores: a SQLite and a PostgreSQL storage that get the same calls and have to give the same
// results, except for numbers that each assigns itself (ids, versions, epochs).
//
// A Twin holds the two ids of one user. A call fails the test if the two results differ.
#pragma once

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "storage/postgres/storage.hpp"
#include "storage/sqlite/storage.hpp"
#include "support/postgres_database.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace um::test {

struct Twin {
  UserId lite;
  UserId pg;
};

class BothStores {
 public:
  BothStores() {
    lite_ = opened(open_sqlite({.file = directory_.path() / "users.db", .clock = &clock}));
    shorten_waits(database_, std::chrono::milliseconds{1});
    pg_ = opened(open_postgres({.url = Secret{database_.url()},
                                .clock = &clock,
                                .look_up_timeout = std::chrono::seconds{60},
                                .statement_timeout = std::chrono::seconds{60}}));
  }

  // Calls `function(storage, id of the user in it)` on both. The results, as text, must be equal.
  template <class Function>
  void same(const char* what, Twin twin, Function function) {
    const std::string lite = function(*lite_, twin.lite);
    const std::string pg = function(*pg_, twin.pg);
    ASSERT_EQ(lite, pg) << what;
    ++answers_[std::string{what} + (lite.starts_with("error ") ? ": " + lite : "")];
  }

  Storage& lite() { return *lite_; }
  Storage& pg() { return *pg_; }
  // How often each operation succeeded, or failed with which error.
  const std::map<std::string, int>& answers() const { return answers_; }

  ManualClock clock;

 private:
  static std::unique_ptr<Storage> opened(Result<std::unique_ptr<Storage>> storage) {
    if (!storage) throw std::runtime_error(storage.error().detail);
    return std::move(*storage);
  }

  TempDirectory directory_;
  TestDatabase database_;
  std::unique_ptr<Storage> lite_;
  std::unique_ptr<Storage> pg_;
  std::map<std::string, int> answers_;
};

template <class T>
std::string text_of(const Result<T>& result);

// All members except the numbers that the database assigns.
inline std::string text_of(const UserRef& record) {
  if (!record) return "nobody";
  const User& user = record->user;
  const auto time = [](WallTime t) { return std::to_string(t.time_since_epoch().count()); };
  std::string text = user.email.text() + '|' + user.username.value_or("-") + '|';
  text += user.first_name + '|' + user.last_name + '|' + std::string{to_string(user.role)} + '|';
  text += user.is_active ? "active|" : "disabled|";
  text += (user.quota_usd ? user.quota_usd->text() : "-") + '|' + user.used_usd.text() + '|';
  text += user.model_capability_settings.value_or("-") + '|' + time(user.created_at) + '|';
  text += time(user.updated_at) + '|';
  return text + (user.last_login_at ? time(*user.last_login_at) : "-");
}
inline std::string text_of(UserId) {
  return "inserted";
}
inline std::string text_of(const SessionRef& session) {
  if (!session) return "no session";
  return std::string{session->id.text()} + '|' +
         (session->kind == SessionKind::login ? "login|" : "token|") +
         std::to_string(session->created_at.time_since_epoch().count()) + '|' +
         std::to_string(session->expires_at.time_since_epoch().count()) + '|' + session->address +
         '|' + session->user_agent;
}
inline std::string text_of(const CreatedSession& created) {
  return text_of(created.session) + '|' + text_of(created.user);
}
template <class T>
std::string text_of(const std::vector<T>& all) {
  std::string text;
  for (const auto& one : all) text += text_of(one) + '\n';
  return text;
}
inline std::string text_of(bool value) {
  return value ? "yes" : "no";
}
inline std::string text_of(std::int64_t value) {
  return std::to_string(value);
}
inline std::string text_of(const UsageTotals& totals) {
  return totals.used_usd.text() + " of " + (totals.quota_usd ? totals.quota_usd->text() : "-");
}
inline std::string text_of(const std::optional<Credentials>& found) {
  if (!found) return "nobody";
  return text_of(found->user) + ' ' + std::string{found->password_hash.reveal()};
}
template <class T>
std::string text_of(const Reading<T>& reading) {
  return text_of(reading.value);
}
template <class T>
std::string text_of(const Result<T>& result) {
  if (!result) return "error " + std::string{to_string(result.error().code)};
  if constexpr (std::is_void_v<T>) {
    return "done";
  } else {
    return text_of(*result);
  }
}

}  // namespace um::test
