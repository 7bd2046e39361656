// Parameters on their way out, results and failures on their way in.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include "drivers/pg/failure.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;

std::string text_of(const Params& params, std::size_t index) {
  const auto value = params.at(index);
  return value.length < 0 ? "null"
                          : std::string(value.data, static_cast<std::size_t>(value.length));
}

TEST(Params, EveryTypeHasItsText) {
  const Params params{-7,     std::int64_t{1} << 62, true, false,
                      "text", std::string{"string"}, 1.25, std::nullopt};
  const std::vector<std::string> expected{
      "-7", "4611686018427387904", "t", "f", "text", "string", "1.25", "null"};
  ASSERT_EQ(params.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(text_of(params, i), expected[i]);
}

TEST(Params, AnEmptyOptionalIsNull) {
  const Params params{std::optional<int>{}, std::optional<int>{3}, std::optional<std::string>{""}};
  EXPECT_EQ(text_of(params, 0), "null");
  EXPECT_EQ(text_of(params, 1), "3");
  EXPECT_EQ(text_of(params, 2), "");
}

TEST(Params, BytesMayHoldNulAndTextMayNot) {
  using namespace std::string_view_literals;
  const Params bytes{Bytes{"a\0b"sv}};
  EXPECT_TRUE(bytes.valid());
  EXPECT_TRUE(bytes.at(0).binary);
  EXPECT_EQ(bytes.at(0).length, 3);
  EXPECT_FALSE(Params{"a\0b"sv}.valid());
}

TEST(Params, TextEndsWithANulAlsoInsideALongerOne) {
  const std::string whole = "abcdef";
  const Params params{std::string_view{whole}.substr(0, 3)};
  EXPECT_STREQ(params.at(0).data, "abc");
}

TEST(Arrays, QuoteWhatTheyHold) {
  EXPECT_EQ(text_array(std::vector<std::string>{R"(a"b\c,{})", ""}), R"({"a\"b\\c,{}",""})");
  EXPECT_EQ(integer_array(std::vector<std::int64_t>{1, -2}), "{1,-2}");
  EXPECT_EQ(integer_array({}), "{}");
}

// One row: an integer, a text, a boolean, null, a bytea.
Rows sample() {
  ResultPtr result{PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK)};
  char name[] = "c";
  std::vector<PGresAttDesc> columns(5);
  for (auto& column : columns) column.name = name;
  EXPECT_EQ(PQsetResultAttrs(result.get(), 5, columns.data()), 1);
  std::vector<std::string> values{"42", "text", "t", "", R"(\x00ff)"};
  for (int i = 0; i < 5; ++i) {
    auto& value = values[static_cast<std::size_t>(i)];
    const int length = i == 3 ? -1 : static_cast<int>(value.size());
    EXPECT_EQ(PQsetvalue(result.get(), 0, i, i == 3 ? nullptr : value.data(), length), 1);
  }
  return {std::move(result), std::make_shared<const std::string>("note")};
}

TEST(Rows, ReadsEachTypeAndKeepsTheNote) {
  const Rows rows = sample();
  EXPECT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.columns(), 5U);
  EXPECT_EQ(rows.integer(0, 0), 42);
  EXPECT_EQ(rows.text(0, 1), "text");
  EXPECT_TRUE(rows.boolean(0, 2));
  EXPECT_TRUE(rows.null(0, 3));
  EXPECT_EQ(rows.text_or_null(0, 3), std::nullopt);
  EXPECT_EQ(rows.bytes(0, 4), std::string("\x00\xff", 2));
  EXPECT_EQ(*rows.session_note(), "note");
}

TEST(Rows, ReadingPastTheEndOrAsTheWrongTypeIsABug) {
  const Rows rows = sample();
  EXPECT_THROW((void)rows.text(1, 0), std::logic_error);
  EXPECT_THROW((void)rows.text(0, 5), std::logic_error);
  EXPECT_THROW((void)rows.text(0, 3), std::logic_error);
  EXPECT_THROW((void)rows.integer(0, 1), std::logic_error);
  EXPECT_THROW((void)rows.boolean(0, 0), std::logic_error);
  EXPECT_THROW((void)rows.bytes(0, 1), std::logic_error);
  EXPECT_THROW((void)Rows{}.text(0, 0), std::logic_error);
}

TEST(Failure, IsClassifiedBySqlState) {
  EXPECT_EQ(classify("57014"), Failure::timeout);
  for (const char* state : {"57P01", "57P02", "57P03", "53300", "08006", "25P03"}) {
    EXPECT_EQ(classify(state), Failure::lost) << state;
  }
  for (const char* state : {"23505", "40001", "25006", "42601", "53100", "08P01"}) {
    EXPECT_EQ(classify(state), Failure::refused) << state;
  }
}

TEST(Failure, EachKindHasItsErrorAndNoMessageIsShown) {
  const auto code = [](Failure::Kind kind, const char* state) {
    const Error error = to_error({.kind = kind, .sqlstate = state, .message = "quoted value"});
    EXPECT_EQ(error.detail.find("quoted value"), std::string::npos);
    return error.code;
  };
  EXPECT_EQ(code(Failure::lost, ""), ErrorCode::unavailable);
  EXPECT_EQ(code(Failure::elsewhere, ""), ErrorCode::unavailable);
  EXPECT_EQ(code(Failure::overloaded, ""), ErrorCode::overloaded);
  EXPECT_EQ(code(Failure::timeout, "57014"), ErrorCode::timeout);
  EXPECT_EQ(code(Failure::unknown_outcome, ""), ErrorCode::unknown_outcome);
  EXPECT_EQ(code(Failure::refused, "42601"), ErrorCode::internal);
  for (const char* state : {"25006", "40001", "40P01", "53100", "55P03"}) {
    EXPECT_EQ(code(Failure::refused, state), ErrorCode::unavailable) << state;
  }
}

}  // namespace
}  // namespace um::pg
