#include "user/transfer/csv.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::string_literals;
using Fields = std::vector<std::string>;

// "line: a|b|c" or "line: fault" for every record, fed in pieces of `piece` bytes.
std::vector<std::string> records(std::string_view text, std::size_t piece = 1'000'000) {
  CsvRecords csv{40};
  std::vector<std::string> result;
  const auto drain = [&] {
    while (const auto record = csv.next()) {
      std::string shown = std::to_string(record->line) + ":";
      if (!record->fields)
        shown += ' ' + std::string{describe(record->fields.error())}.substr(0, 12);
      else
        for (const std::string& field : *record->fields) shown += '[' + field + ']';
      result.push_back(shown);
    }
  };
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    csv.feed(text.substr(0, piece));
    drain();
  }
  csv.finish();
  drain();
  EXPECT_FALSE(csv.next());
  return result;
}

struct RecordCase {
  std::string text;
  std::vector<std::string> expected;
};

void check(const std::vector<RecordCase>& cases) {
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(records(text), expected) << testing::PrintToString(text);
    EXPECT_EQ(records(text, 1), expected) << "byte by byte: " << testing::PrintToString(text);
    EXPECT_EQ(records(text, 3), expected) << "in threes: " << testing::PrintToString(text);
  }
}

TEST(CsvRecords, FieldsAndLineEnds) {
  check({{"", {}},
         {"a", {"1:[a]"}},
         {"a,b\nc,d\n", {"1:[a][b]", "2:[c][d]"}},
         {"a,b\r\nc,d", {"1:[a][b]", "2:[c][d]"}},
         {",\n", {"1:[][]"}},
         {"a,\n,b", {"1:[a][]", "2:[][b]"}},
         {" a , b ", {"1:[ a ][ b ]"}},
         {"志,明", {"1:[志][明]"}},
         {"a\0b,c"s, {"1:[a\0b][c]"s}}});
}

TEST(CsvRecords, QuotedFields) {
  check({{R"("a,b","c""d")", {"1:[a,b][c\"d]"}},
         {"\"\"\n", {"1:[]"}},
         {"\"\"\"\"", {"1:[\"]"}},
         {"\"a\nb\r\nc\",d\ne\n", {"1:[a\nb\r\nc][d]", "4:[e]"}},
         {"\"a\r\"\r\n", {"1:[a\r]"}},
         {"a,\"\"", {"1:[a][]"}}});
}

TEST(CsvRecords, EmptyLinesAreSkippedAndCounted) {
  check({{"\n\r\na\n\n\nb\n\n", {"3:[a]", "6:[b]"}}, {"\n", {}}, {"\r\n\r\n", {}}});
}

TEST(CsvRecords, AByteOrderMarkIsSkippedOnlyAtTheStart) {
  check({{"\xEF\xBB\xBF", {}},
         {"\xEF\xBB\xBF"
          "a\n\xEF\xBB\xBF\n",
          {"1:[a]", "2:[\xEF\xBB\xBF]"}},
         {"\xEF\xBB\xBF\"a\"", {"1:[a]"}},
         {"\xEF\xBB", {"1:[\xEF\xBB]"}}});
}

TEST(CsvRecords, FaultsEndWithTheirRecord) {
  check({{"a\"b\nc", {"1: a quote insi", "2:[c]"}},
         {"\"a\"b,c\nd", {"1: a quote insi", "2:[d]"}},
         {"\"a\" ,b\nd", {"1: a quote insi", "2:[d]"}},
         {"a\rb\nc", {"1: a carriage r", "2:[c]"}},
         {"a\r\r\nc", {"1: a carriage r", "2:[c]"}},
         {"a\r", {"1: a carriage r"}},
         {"a\n\"b\n", {"1:[a]", "2: the file end"}},
         {"\"", {"1: the file end"}}});
}

TEST(CsvRecords, TheLengthOfARecordIsBounded) {
  const std::string fits(39, 'x');
  check({{fits + "\n", {"1:[" + fits + "]"}},
         {fits + "xx\nb\n", {"1: the record i", "2:[b]"}},
         {std::string(20, ',') + fits + "\nb", {"1: the record i", "2:[b]"}}});
}

TEST(CsvRecords, AnOverlongQuotedFieldIsNotTakenForRecords) {
  check({{"\"" + std::string(50, 'x') + "\nadmin@x\n\"\nb", {"1: the record i", "4:[b]"}},
         {"\"" + std::string(50, 'x') + "\nadmin@x\n", {"1: the record i"}}});
}

TEST(FormulaGuard, GuardsWhatASpreadsheetWouldRun) {
  for (const char* text : {"=1+1", "+tag@x", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1",
                           "－1", "＠x", "'=1", "''+x"})
    EXPECT_EQ(guard_formula(text), std::string{"'"} + text);
}

TEST(FormulaGuard, LeavesNamesAsTheyAre) {
  for (const char* text : {"", "Ada", "'t Hooft", "'", "O'Neill", "a=b", " =1", "志明"}) {
    EXPECT_EQ(guard_formula(text), text);
    EXPECT_EQ(unguard_formula(text), text);
  }
}

TEST(FormulaGuard, IsExactlyReversible) {
  constexpr std::array<const char*, 6> kPieces{"'", "=", "-", "a", "＝", "\t"};
  for (int code = 0; code < 6 * 6 * 6 * 6; ++code) {
    std::string text;
    for (int rest = code; rest > 0; rest /= 6)
      text += kPieces.at(static_cast<std::size_t>(rest % 6));
    EXPECT_EQ(unguard_formula(guard_formula(text)), text);
  }
}

}  // namespace
}  // namespace um
