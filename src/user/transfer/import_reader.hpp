// ImportReader: reads users from the bytes of a file, one by one, in the memory of one line.
//
// CSV is RFC 4180 with a header line: the columns of columns.hpp in any order, `email` among them;
// an empty field is a value that is not given. JSON lines have one object on each line with the
// same members; a member that is null is not given. In both formats the text is UTF-8, a byte order
// mark is skipped, lines end with LF or CRLF, empty lines are skipped, and a record has at most
// kMaxRecordBytes.
//
// Use: feed() some bytes, call next() until it returns nullopt, and repeat; call finish() at the
// end of the file and next() for the rest. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "user/transfer/import_user.hpp"

namespace um {

inline constexpr std::size_t kMaxRecordBytes = 64 * 1024;

struct ImportLine {
  std::int64_t number = 0;  // of the line on which the record begins, from 1
  Result<ImportUser> user;  // `invalid`: this record cannot be imported; the next ones can
};

class ImportReader {
 public:
  virtual ~ImportReader() = default;
  virtual void feed(std::string_view bytes) = 0;
  virtual void finish() = 0;
  // nullopt: more bytes are needed, or after finish() there are no more records. An error (invalid)
  // means that the file as a whole cannot be read because of its CSV header; every later call
  // returns it too.
  virtual Result<std::optional<ImportLine>> next() = 0;
};

std::unique_ptr<ImportReader> make_csv_reader();
std::unique_ptr<ImportReader> make_jsonl_reader();

}  // namespace um
