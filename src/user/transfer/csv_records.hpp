// CsvRecords: the records of a CSV file (RFC 4180, section 2), strictly: a quote stands at the ends
// of a field or doubled inside a quoted one, nowhere else.
//
// After a fault the record is skipped to its end, and its text is never taken for records: an
// overlong quoted field is followed to its closing quote. Not thread-safe.
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
  std::int64_t line = 0;  // on which it begins, from 1
  std::expected<std::vector<std::string>, CsvFault> fields;
};

class CsvRecords {
 public:
  explicit CsvRecords(std::size_t max_record_bytes) : max_record_bytes_{max_record_bytes} {}

  void feed(std::string_view bytes) { bytes_.feed(bytes); }
  void finish() { bytes_.finish(); }
  // nullopt: more bytes are needed, or after finish() there is no more. Empty lines are skipped.
  std::optional<CsvRecord> next();

 private:
  enum class State { field_start, unquoted, quoted, after_quote, after_return, skipping };
  struct Pending {
    std::int64_t line = 1;
    std::size_t bytes = 0;
    std::vector<std::string> fields{};
    std::string field{};
    std::optional<CsvFault> fault{};
    bool quoted = false;  // some field was: `""` alone is no empty line
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
  std::int64_t line_ = 1;  // of the next byte
  Pending pending_;
};

}  // namespace um
