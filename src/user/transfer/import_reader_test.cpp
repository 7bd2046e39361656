#include "user/transfer/import_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "user/time_text.hpp"

namespace um {
namespace {

using testing::HasSubstr;

struct Read {
  std::vector<ImportLine> lines{};
  std::optional<Error> failed{};
};

Read read_all(std::unique_ptr<ImportReader> reader, std::string_view text) {
  Read read;
  const auto drain = [&] {
    while (!read.failed) {
      auto line = reader->next();
      if (!line)
        read.failed = line.error();
      else if (*line)
        read.lines.push_back(**std::move(line));
      else
        return;
    }
  };
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(7, text.size()))) {
    reader->feed(text.substr(0, 7));
    drain();
  }
  reader->finish();
  drain();
  return read;
}
Read csv(std::string_view text) {
  return read_all(make_csv_reader(), text);
}
Read jsonl(std::string_view text) {
  return read_all(make_jsonl_reader(), text);
}

std::string faults(const ImportLine& line) {
  if (line.user) return "";
  std::string text;
  for (const FieldError& field : line.user.error().fields)
    text += field.field + ':' + field.code + ' ';
  return text.empty() ? line.user.error().detail : text;
}

void expect_everything(const ImportLine& line) {
  ASSERT_TRUE(line.user) << faults(line);
  const NewUser& user = line.user->user;
  EXPECT_EQ(user.id, UserId::from(42));
  EXPECT_EQ(user.email.text(), "Ada@X.org");
  EXPECT_EQ(user.username, "ada");
  EXPECT_EQ(user.first_name, "Ада");
  EXPECT_EQ(user.last_name, "Love, \"lace\"");
  EXPECT_EQ(user.role, Role::admin);
  EXPECT_FALSE(user.is_active);
  EXPECT_EQ(user.quota_usd, Usd::parse("12.5"));
  EXPECT_EQ(user.used_usd, Usd::parse("0.000001"));
  EXPECT_EQ(user.model_capability_settings, R"({"a":[1,"\""]})");
  EXPECT_EQ(user.created_at, parse_time("2026-11-22T01:35:29.123456Z"));
  EXPECT_EQ(user.password_hash.reveal(),
            "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy");
  EXPECT_FALSE(line.user->password);
}

TEST(ImportCsv, ReadsEveryColumnInAnyOrder) {
  const Read read =
      csv("last_name,EMAIL,id,username,first_name,role,is_active,quota_usd,used_usd,"
          "model_capability_settings,created_at,updated_at,last_login_at,version,password_hash\r\n"
          "\"Love, \"\"lace\"\"\",Ada@X.org,42,ada,Ада,admin,FALSE,12.50,0.000001,"
          "\"{\"\"a\"\": [1,\"\"\\\"\"\"\"]}\",2026-11-22T01:35:29.123456Z,whatever,,3,"
          "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\r\n");
  ASSERT_FALSE(read.failed) << read.failed->detail;
  ASSERT_EQ(read.lines.size(), 1U);
  EXPECT_EQ(read.lines[0].number, 2);
  expect_everything(read.lines[0]);
}

TEST(ImportJsonl, ReadsEveryMember) {
  const Read read = jsonl(
      "\xEF\xBB\xBF\r\n{\"id\":42,\"email\":\"Ada@X.org\",\"username\":\"ada\",\"first_name\":"
      "\"Ада\","
      "\"last_name\":\"Love, "
      "\\\"lace\\\"\",\"role\":\"admin\",\"is_active\":false,\"quota_usd\":12.50,"
      "\"used_usd\":\"0.000001\",\"model_capability_settings\":{ \"a\": [1,\"\\\"\"]},"
      "\"created_at\":\"2026-11-22T01:35:29.123456Z\",\"updated_at\":null,\"last_login_at\":null,"
      "\"version\":3,\"password_hash\":"
      "\"$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\"}\r\n");
  ASSERT_FALSE(read.failed);
  ASSERT_EQ(read.lines.size(), 1U);
  EXPECT_EQ(read.lines[0].number, 2);
  expect_everything(read.lines[0]);
}

TEST(ImportJsonl, AmountsMayHaveAnExponentAsInTheHttpInterface) {
  const Read read = jsonl(R"({"email":"a@b","quota_usd":1e-3,"used_usd":1.5E+2})"
                          "\n"
                          R"({"email":"a@b","quota_usd":1e-7})"
                          "\n"
                          R"({"email":"a@b","quota_usd":"1e-3"})");
  ASSERT_EQ(read.lines.size(), 3U);
  ASSERT_TRUE(read.lines[0].user);
  EXPECT_EQ(read.lines[0].user->user.quota_usd, Usd::parse("0.001"));
  EXPECT_EQ(read.lines[0].user->user.used_usd, Usd::parse("150"));
  EXPECT_FALSE(read.lines[1].user);
  EXPECT_FALSE(read.lines[2].user);
}

TEST(Import, AnAddressIsEnough) {
  for (const Read& read : {csv("email,first_name,quota_usd\na@b,,\n"), jsonl("{\"email\":\"a@b\"}"),
                           jsonl(R"({"email":"a@b","quota_usd":null,"password":null})")}) {
    ASSERT_EQ(read.lines.size(), 1U);
    ASSERT_TRUE(read.lines[0].user);
    const NewUser& user = read.lines[0].user->user;
    EXPECT_TRUE(user.is_active);
    EXPECT_EQ(user.role, Role::user);
    EXPECT_FALSE(user.id || user.quota_usd || user.username || user.created_at);
    EXPECT_TRUE(user.password_hash.empty());
    EXPECT_FALSE(read.lines[0].user->password);
  }
}

TEST(Import, PasswordsAreHandedOn) {
  for (const Read& read : {csv("email,password\na@b,\" '=p\"\"w \"\n"),
                           jsonl(R"({"email":"a@b","password":" '=p\"w "})")}) {
    ASSERT_TRUE(read.lines.at(0).user);
    EXPECT_EQ(read.lines[0].user->password->reveal(), " '=p\"w ");
  }
}

TEST(ImportCsv, AHeaderThatCannotBeUsedEndsTheImport) {
  struct Case {
    const char* text;
    const char* detail;
  };
  for (const auto& [text, detail] : {Case{"", "no header line"},
                                     {"\n\n", "no header line"},
                                     {"email,phone\na@b,1\n", "unknown column \"phone\""},
                                     {"email,\n", "unknown column \"\""},
                                     {"first_name\nAda\n", "no column email"},
                                     {"email,id,Email\n", "\"Email\" is there twice"},
                                     {"email,\"id\n", "inside a quoted field"},
                                     {"a@b,Ada\n", "unknown column \"a@b\""},
                                     {"\x1B[2J,email\n", R"(unknown column "\u001b[2J")"}}) {
    const Read read = csv(text);
    ASSERT_TRUE(read.failed) << text;
    EXPECT_EQ(read.failed->code, ErrorCode::invalid);
    EXPECT_THAT(read.failed->detail, HasSubstr(detail));
    EXPECT_TRUE(read.lines.empty());
  }
}

TEST(ImportCsv, AHeaderErrorStays) {
  auto reader = make_csv_reader();
  reader->feed("phone\na\nb\n");
  EXPECT_FALSE(reader->next());
  EXPECT_FALSE(reader->next());
}

TEST(ImportCsv, OneBadLineDoesNotEndTheImport) {
  const Read read =
      csv("email,role,used_usd\n"
          "a@b\n"
          "b@b,,\n"
          "c,boss,-1\n"
          "d@b,\"us\"er,\n"
          "\n"
          "e@b,admin,1\n");
  ASSERT_EQ(read.lines.size(), 5U);
  EXPECT_THAT(faults(read.lines[0]), HasSubstr("has 1 fields where the header has 3"));
  EXPECT_EQ(faults(read.lines[1]), "");
  EXPECT_EQ(faults(read.lines[2]), "email:not_an_address role:unknown_value used_usd:negative ");
  EXPECT_THAT(faults(read.lines[3]), HasSubstr("a quote inside a field"));
  EXPECT_EQ(faults(read.lines[4]), "");
  EXPECT_EQ(read.lines[4].number, 7);
}

TEST(ImportJsonl, OneBadLineDoesNotEndTheImport) {
  const Read read = jsonl(
      "{\"email\":\"a@b\"}\n"
      "{\"email\":\"b@b\",}\n"
      "[]\n"
      "{\"email\":\"c@b\",\"phone\":1,\"is_active\":\"yes\",\"id\":\"7\"}\n"
      "{\"email\":\"d@b\",\"email\":\"e@b\"}\n"
      "{}\n"
      "{\"email\":\"f@b\"}");
  ASSERT_EQ(read.lines.size(), 7U);
  EXPECT_EQ(faults(read.lines[0]), "");
  EXPECT_EQ(faults(read.lines[1]), "is not valid JSON");
  EXPECT_EQ(faults(read.lines[2]), "must be a JSON object");
  EXPECT_EQ(faults(read.lines[3]), "phone:unknown_field is_active:wrong_type id:wrong_type ");
  EXPECT_EQ(faults(read.lines[4]), "has the same member twice");
  EXPECT_EQ(faults(read.lines[5]), "email:required ");
  EXPECT_EQ(faults(read.lines[6]), "");
}

TEST(Import, ValuesThatBreakTheRulesAreNamed) {
  const Read read = csv(
      "email,id,is_active,created_at,password,password_hash,quota_usd,model_capability_settings\n"
      "a@b,0,yes,yesterday,pw,hash,1e2,[]\n"
      "a@b,,,,,with space,,{\n");
  EXPECT_EQ(faults(read.lines.at(0)),
            "id:not_an_id is_active:unknown_value quota_usd:not_an_amount "
            "model_capability_settings:not_an_object created_at:not_a_time password:ambiguous ")
      << "in the order of the checks";
  EXPECT_EQ(faults(read.lines.at(1)),
            "model_capability_settings:not_json password_hash:not_a_hash ");
}

TEST(ImportJsonl, TheLengthOfALineIsBounded) {
  const std::string line = "{\"email\":\"a@b\"" + std::string(kMaxRecordBytes - 15, ' ') + "}";
  ASSERT_EQ(line.size(), kMaxRecordBytes);
  const Read read = jsonl(line + "\n " + line + "\n" + line);
  ASSERT_EQ(read.lines.size(), 3U);
  EXPECT_EQ(faults(read.lines[0]), "");
  EXPECT_THAT(faults(read.lines[1]), HasSubstr("longer than 64 KiB"));
  EXPECT_EQ(faults(read.lines[2]), "");
  EXPECT_EQ(read.lines[2].number, 3);
}

TEST(ImportJsonl, NothingIsNoUsers) {
  EXPECT_TRUE(jsonl("").lines.empty());
  EXPECT_TRUE(jsonl("\n \r\n\t\n").lines.empty());
}

}  // namespace
}  // namespace um
