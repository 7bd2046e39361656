#include "drivers/sqlite/error.hpp"

#include <sqlite3.h>

namespace um::sqlite {

SqliteError SqliteError::of(sqlite3* db, std::string_view doing) {
  const int code = db == nullptr ? SQLITE_NOMEM : ::sqlite3_extended_errcode(db);
  const char* text = db == nullptr ? ::sqlite3_errstr(code) : ::sqlite3_errmsg(db);
  return {code, std::string{doing} + ": " + text};
}

Fault SqliteError::fault() const {
  if (code_ == SQLITE_READONLY_DBMOVED) return Fault::moved;
  switch (code_ & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Fault::busy;
    case SQLITE_FULL:
      return Fault::full;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Fault::read_only;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
    case SQLITE_NOLFS:
      return Fault::io;
    case SQLITE_INTERRUPT:
      return Fault::interrupted;
    case SQLITE_CONSTRAINT:
      return Fault::constraint;
    default:
      return Fault::bug;
  }
}

Error to_error(const SqliteError& error) {
  switch (error.fault()) {
    case Fault::busy:
      return unavailable("the database is locked by another program");
    case Fault::full:
      return unavailable("the disk of the database is full");
    case Fault::read_only:
      return unavailable("the database file cannot be written");
    case Fault::moved:
      return unavailable(
          "the database file was moved, replaced or deleted while in use; put it back, or restart");
    case Fault::io:
      return unavailable("the database file cannot be read or written");
    case Fault::interrupted:
      return {.code = ErrorCode::timeout, .detail = "the database took too long"};
    case Fault::constraint:
    case Fault::bug:
      break;
  }
  return {.code = ErrorCode::internal, .detail = error.what()};
}

}  // namespace um::sqlite
