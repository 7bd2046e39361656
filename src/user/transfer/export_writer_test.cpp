#include "user/transfer/export_writer.hpp"

#include <gtest/gtest.h>

#include "user/time_text.hpp"
#include "user/transfer/import_reader.hpp"

namespace um {
namespace {

User plain(std::int64_t id) {
  User user{.id = *UserId::from(id), .email = *Email::parse("u" + std::to_string(id) + "@x")};
  user.created_at = *parse_time("2026-11-22T01:35:29.123456Z");
  user.updated_at = user.created_at;
  return user;
}

// Names that formats stumble over, from every corner.
std::vector<User> awkward() {
  std::vector<User> users;
  for (const char* name : {"",        "Ada",
                           "a,b",     "a\"b",
                           "\"",      "\"\"",
                           "'",       "''",
                           "'=1",     "=cmd|' /C calc'!A0",
                           "+1",      "-1",
                           "@x",      " a ",
                           "a;b",     "null",
                           "NULL",    "true",
                           "\\",      "\\n",
                           "志明",    "Иван",
                           "नमस्ते",    "עברית",
                           "العربية", "ﬀ",
                           "e\u0301", "😀👩‍👩‍👧",
                           "\u200B",  "\uFEFF",
                           "\uFFFD",  "ｆｕｌｌ＝",
                           "＝1",     "a\u2028b"}) {
    User user = plain(static_cast<std::int64_t>(users.size()) + 1);
    user.first_name = name;
    user.last_name = std::string{name} + name;
    users.push_back(user);
  }
  users[0].username = "-dash";
  users[1].username = "...";
  users[2].role = Role::service;
  users[3].is_active = false;
  users[4].quota_usd = Usd{};
  users[5].quota_usd = Usd::parse("9000000000");
  users[6].used_usd = *Usd::parse("0.000001");
  users[7].model_capability_settings = "{}";
  users[8].model_capability_settings = R"({"a":"x,\"y\"\n\\","b":[1.10,null]})";
  users[9].created_at = *parse_time("1969-12-31T23:59:59.5Z");
  users[10].email = *Email::parse("=1+\"x\",y@x");
  users[11].email = *Email::parse("志@明");
  users[12].last_login_at = users[12].created_at;
  return users;
}

std::vector<User> import_of(std::unique_ptr<ImportReader> reader, const std::string& text) {
  std::vector<User> users;
  reader->feed(text);
  reader->finish();
  while (true) {
    const auto line = reader->next();
    EXPECT_TRUE(line);
    if (!line || !*line) return users;
    const auto& user = (*line)->user;
    EXPECT_TRUE(user) << (*line)->number;
    if (!user) continue;
    const NewUser& read = user->user;
    users.push_back({.id = *read.id,
                     .email = read.email,
                     .username = read.username,
                     .first_name = read.first_name,
                     .last_name = read.last_name,
                     .role = read.role,
                     .is_active = read.is_active,
                     .quota_usd = read.quota_usd,
                     .used_usd = read.used_usd,
                     .model_capability_settings = read.model_capability_settings,
                     .created_at = *read.created_at});
  }
}

// Compared by representation, without the members that an import does not take over.
std::vector<std::string> shown(std::vector<User> users) {
  std::vector<std::string> texts;
  for (User& user : users) {
    user.updated_at = user.created_at;
    user.last_login_at.reset();
    user.version = 0;
    texts.push_back(make_record(user)->json);
  }
  return texts;
}

TEST(Export, CsvIsReadBackWithoutALoss) {
  std::string text;
  append_csv_header(text);
  for (const User& user : awkward()) append_csv(text, user);
  EXPECT_EQ(shown(import_of(make_csv_reader(), text)), shown(awkward()));
}

TEST(Export, JsonLinesAreReadBackWithoutALoss) {
  std::string text;
  for (const User& user : awkward()) append_jsonl(text, *make_record(user));
  EXPECT_EQ(shown(import_of(make_jsonl_reader(), text)), shown(awkward()));
}

TEST(Export, CsvLooksLikeThis) {
  User user = plain(7);
  user.first_name = "Ada, \"A\"";
  user.last_name = "=1";
  user.quota_usd = Usd::parse("1.5");
  user.model_capability_settings = R"({"a":1})";
  user.version = 3;
  std::string text;
  append_csv_header(text);
  append_csv(text, user);
  EXPECT_EQ(text,
            "id,email,username,first_name,last_name,role,is_active,quota_usd,used_usd,"
            "model_capability_settings,created_at,updated_at,last_login_at,version\r\n"
            "7,u7@x,,\"Ada, \"\"A\"\"\",'=1,user,true,1.5,0,\"{\"\"a\"\":1}\","
            "2026-11-22T01:35:29.123456Z,2026-11-22T01:35:29.123456Z,,3\r\n");
}

TEST(Export, TheLongestUserFitsARecord) {
  User user = plain(std::numeric_limits<std::int64_t>::max());
  for (int i = 0; i < 200; ++i) user.first_name += "😀";
  user.last_name = std::string(200, '"');
  std::string settings = "{\"";
  settings += std::string(16'000, 'a') + "\":[";
  while (settings.size() < 16'380) settings += "\"\",";
  settings.back() = ']';
  user.model_capability_settings = settings + "}";
  std::string text;
  append_csv_header(text);
  append_csv(text, user);
  EXPECT_EQ(import_of(make_csv_reader(), text).size(), 1U);
  text.clear();
  append_jsonl(text, *make_record(user));
  EXPECT_EQ(import_of(make_jsonl_reader(), text).size(), 1U);
}

}  // namespace
}  // namespace um
