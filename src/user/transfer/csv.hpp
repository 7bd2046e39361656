// CSV (RFC 4180): reading records, writing fields, and guarding text against spreadsheets.
//
// Reading is strict: a quote stands at the ends of a field or doubled inside a quoted one, nowhere
// else. After a fault the record is skipped to its end, and its text is never taken for records: an
// overlong quoted field is followed to its closing quote.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "user/transfer/byte_queue.hpp"

namespace um {

enum class CsvFault { too_long, misplaced_quote, bare_carriage_return, unclosed_quote };
std::string_view describe(CsvFault fault);

struct CsvRecord {
  std::int64_t line = 0;  // of the file, on which the record begins; from 1
  std::expected<std::vector<std::string>, CsvFault> fields;
};

// Not thread-safe.
class CsvRecords {
 public:
  explicit CsvRecords(std::size_t max_record_bytes) : max_record_bytes_{max_record_bytes} {}

  void feed(std::string_view bytes) { bytes_.feed(bytes); }
  void finish() { bytes_.finish(); }
  // nullopt: more bytes are needed, or after finish() there are no more records. Empty lines are
  // skipped.
  std::optional<CsvRecord> next();

 private:
  enum class State { field_start, unquoted, quoted, after_quote, after_return, skipping };
  struct Pending {
    std::int64_t line = 1;
    std::size_t bytes = 0;
    std::vector<std::string> fields{};
    std::string field{};
    std::optional<CsvFault> fault{};
    bool quoted = false;  // a field was quoted: `""` alone is not an empty line
  };

  // True if the byte ended a record.
  bool step(char c);
  bool in_unquoted(char c);
  bool after_quote(char c);
  bool separator(char c);
  void keep(char c);
  void end_field();
  void fault(CsvFault what, State next);
  std::optional<CsvRecord> end_record();
  std::optional<CsvRecord> end_of_file();

  std::size_t max_record_bytes_;
  ByteQueue bytes_;
  State state_ = State::field_start;
  std::int64_t line_ = 1;  // on which the next byte is
  Pending pending_;
};

// Appends one field, quoted if it needs to be.
void append_csv_field(std::string& out, std::string_view text);

// A spreadsheet runs text like "=HYPERLINK(…)" as a formula, unless an apostrophe before it says
// that it is text. guard_formula() puts the apostrophe before text that begins with any number of
// apostrophes and then a dangerous character; unguard_formula() takes one from such text. So every
// name survives a round trip, and "'t Hooft" never changes.
std::string guard_formula(std::string_view text);
std::string unguard_formula(std::string_view text);

}  // namespace um
