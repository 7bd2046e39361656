// ImportReader: users from the bytes of a file, one by one, in the memory of one line.
//
// CSV is RFC 4180 with a header line: the columns of transfer/columns.hpp in any order, `email`
// among them; an empty cell is a value that is not given. JSON lines are one object a line with the
// same members; null is not given. Both: UTF-8, a byte order mark is skipped, lines end with LF or
// CRLF, empty lines are skipped, one record has at most kMaxRecordBytes.
//
// Use: feed() some bytes, take next() until it has nothing, again; finish() at the end of the file
// and take the rest. Not thread-safe.
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
  Result<ImportUser> user;  // invalid: this line cannot be imported; the next ones may
};

class ImportReader {
 public:
  virtual ~ImportReader() = default;
  virtual void feed(std::string_view bytes) = 0;
  virtual void finish() = 0;
  // nullopt: more bytes are needed, or after finish() there is no more. An error (invalid) means
  // that the file as a whole cannot be read, which a CSV header decides; it stays.
  virtual Result<std::optional<ImportLine>> next() = 0;
};

std::unique_ptr<ImportReader> make_csv_reader();
std::unique_ptr<ImportReader> make_jsonl_reader();

}  // namespace um
