#include "user/transfer/csv.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace um {

namespace {

// The characters that begin a formula, their full-width forms, which spreadsheets of some languages
// read in the same way, and the characters that some spreadsheets skip before a formula.
constexpr std::array<std::string_view, 11> kDangerous{"=",  "+",  "-",  "@",  "\t", "\r",
                                                      "\n", "＝", "＋", "－", "＠"};

bool is_dangerous_after_apostrophes(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('\''), text.size()));
  return std::ranges::any_of(kDangerous,
                             [&](std::string_view start) { return text.starts_with(start); });
}

}  // namespace

std::string_view describe(CsvFault fault) {
  switch (fault) {
    case CsvFault::too_long:
      return "the record is longer than 64 KiB; is a closing quote missing?";
    case CsvFault::misplaced_quote:
      return "a quote inside a field must be doubled, and the field quoted";
    case CsvFault::bare_carriage_return:
      return "a carriage return without a line feed";
    case CsvFault::unclosed_quote:
      return "the file ends inside a quoted field";
  }
  return "not CSV";
}

std::optional<CsvRecord> CsvRecords::next() {
  while (const std::optional<char> c = bytes_.take()) {
    if (!step(*c)) continue;
    if (auto record = end_record()) return record;
  }
  return bytes_.finished() ? end_of_file() : std::nullopt;
}

bool CsvRecords::step(char c) {
  if (c == '\n') ++line_;
  if (++pending_.bytes > max_record_bytes_) fault(CsvFault::too_long, state_);
  switch (state_) {
    case State::field_start:
      if (c != '"') return in_unquoted(c);
      pending_.quoted = true;
      state_ = State::quoted;
      return false;
    case State::unquoted:
      return in_unquoted(c);
    case State::quoted:
      if (c == '"') {
        state_ = State::after_quote;
      } else {
        keep(c);
      }
      return false;
    case State::after_quote:
      return after_quote(c);
    case State::after_return:
      if (c != '\n') fault(CsvFault::bare_carriage_return, State::skipping);
      return c == '\n';
    case State::skipping:
      return c == '\n';
  }
  return false;
}

bool CsvRecords::in_unquoted(char c) {
  if (separator(c)) return c == '\n';
  if (c == '"') {
    fault(CsvFault::misplaced_quote, State::skipping);
    return false;
  }
  state_ = State::unquoted;
  keep(c);
  return false;
}

bool CsvRecords::after_quote(char c) {
  if (separator(c)) return c == '\n';
  if (c == '"') {
    state_ = State::quoted;
    keep(c);
  } else {
    fault(CsvFault::misplaced_quote, State::skipping);
  }
  return false;
}

// Ends the field at a comma, and begins the end of the line at a carriage return. True for these
// two and a line feed.
bool CsvRecords::separator(char c) {
  if (c == ',') {
    end_field();
    state_ = State::field_start;
  } else if (c == '\r') {
    state_ = State::after_return;
  }
  return c == ',' || c == '\r' || c == '\n';
}

void CsvRecords::keep(char c) {
  if (!pending_.fault) pending_.field += c;
}

void CsvRecords::end_field() {
  if (!pending_.fault) pending_.fields.push_back(std::exchange(pending_.field, {}));
}

// The first fault of a record is the one that is reported; no fields are kept after it.
void CsvRecords::fault(CsvFault what, State next) {
  state_ = next;
  if (pending_.fault) return;
  pending_.fault = what;
  pending_.fields.clear();
  pending_.field.clear();
}

std::optional<CsvRecord> CsvRecords::end_record() {
  end_field();
  state_ = State::field_start;
  Pending ended = std::exchange(pending_, {});
  pending_.line = line_;
  if (ended.fault) return CsvRecord{.line = ended.line, .fields = std::unexpected(*ended.fault)};
  const bool empty = ended.fields.size() == 1 && ended.fields.front().empty() && !ended.quoted;
  if (empty) return std::nullopt;
  return CsvRecord{.line = ended.line, .fields = std::move(ended.fields)};
}

std::optional<CsvRecord> CsvRecords::end_of_file() {
  if (pending_.bytes == 0) return std::nullopt;
  if (state_ == State::quoted) fault(CsvFault::unclosed_quote, State::skipping);
  if (state_ == State::after_return) fault(CsvFault::bare_carriage_return, State::skipping);
  return end_record();
}

void append_csv_field(std::string& out, std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

std::string guard_formula(std::string_view text) {
  return (is_dangerous_after_apostrophes(text) ? "'" : "") + std::string{text};
}

std::string unguard_formula(std::string_view text) {
  if (text.starts_with('\'') && is_dangerous_after_apostrophes(text)) text.remove_prefix(1);
  return std::string{text};
}

}  // namespace um
