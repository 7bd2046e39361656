// SqliteError: a failure that SQLite reported, with its class. Inside the driver failures travel as
// exceptions of this type; jobs turn them into um::Error when they leave the driver.
//
// Result codes: https://www.sqlite.org/rescode.html
#pragma once

#include <exception>
#include <string>

#include "base/error.hpp"

struct sqlite3;

namespace um::sqlite {

enum class Fault {
  busy,       // another connection holds the lock that is needed
  full,       // the disk, or the allowed size, is used up
  read_only,  // the file cannot be written
  moved,      // the file, or its log, is not where it was opened
  io,         // reading, writing or syncing failed; the file is damaged or gone; memory is used up
  interrupted,  // the deadline of the statement passed
  constraint,   // a constraint of the schema
  bug,          // anything else: wrong SQL, misuse
};

class SqliteError : public std::exception {
 public:
  SqliteError(int extended_code, std::string message)
      : code_{extended_code}, message_{std::move(message)} {}
  static SqliteError of(sqlite3* db, std::string_view doing);

  int code() const { return code_; }  // extended
  Fault fault() const;
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  int code_;
  std::string message_;
};

// busy, full, read_only, moved, io → unavailable with retry_after; interrupted → timeout; the rest
// → internal. The detail is one line for people and names no data.
Error to_error(const SqliteError& error);

}  // namespace um::sqlite
