// `user-manager import` and `export`: there and back again, with every bad line named.
#include <csignal>

#include <gtest/gtest.h>

#include "support/database_probe.hpp"
#include "support/invariants.hpp"
#include "support/json.hpp"
#include "support/server_under_test.hpp"

namespace um::e2e {
namespace {

class CliImport : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cli({"migrate"}).code, 0);
    const auto made = cli({"user", "create", "--email", "first@example.test", "--password-stdin"},
                          "imported-Sesame\n");
    ASSERT_EQ(made.code, 0) << made.err;
    DatabaseProbe probe{database_};
    hash_ = probe.value("SELECT password_hash FROM users WHERE id = 1");
    ASSERT_TRUE(hash_.starts_with("$2b$04$")) << hash_;
  }

  RunResult cli(std::vector<std::string> arguments, std::string input = {}) const {
    arguments.insert(arguments.end(), {"--database", "sqlite:" + database_});
    return run({.program = program(),
                .arguments = std::move(arguments),
                .environment = {{"USER_MANAGER_PASSWORD_COST", "4"}},
                .input = std::move(input),
                .working_directory = directory_.path().string()});
  }
  boost::json::value json_of(std::vector<std::string> arguments, int code = 0) const {
    arguments.emplace_back("--json");
    const auto result = cli(std::move(arguments));
    EXPECT_EQ(result.code, code) << result.out << result.err;
    return parse_json(result.out);
  }
  // Numbers of the lines that standard error blames.
  static std::vector<int> blamed_lines(const std::string& err) {
    std::vector<int> lines;
    static const std::regex kLine{"line ([0-9]+):"};
    for (std::sregex_iterator at{err.begin(), err.end(), kLine}, end; at != end; ++at) {
      lines.push_back(std::stoi((*at)[1]));
    }
    return lines;
  }

  test::TempDirectory directory_;
  std::string database_ = directory_.file("users.db");
  std::string hash_;
};

TEST_F(CliImport, JsonLinesWithHashesAndPasswordsCanSignIn) {
  const auto file = directory_.write(
      "users.jsonl",
      R"({"email": "hash@example.test", "first_name": "Hash", "password_hash": ")" + hash_ +
          R"(", "role": "service", "quota_usd": "12.345678", "used_usd": 0.000001,)"
          R"( "created_at": "2020-02-03T04:05:06Z", "model_capability_settings": {"a": [1]}})"
          "\n\n"
          R"({"email": "plain@example.test", "password": "given-Sesame-1", "id": 4000})"
          "\n"
          R"({"email": "none@example.test", "is_active": false})"
          "\n");
  const auto report = json_of({"import", file});
  EXPECT_EQ(mismatch(parse_json(R"({"imported": 3, "failed": 0, "complete": true})"), report), "");
  EXPECT_EQ(mismatch(parse_json(R"({"first_name": "Hash", "role": "service",
      "quota_usd": 12.345678, "used_usd": 0.000001, "created_at": "@match:^2020-02-03T04:05:06",
      "model_capability_settings": {"a": [1]}})"),
                     json_of({"user", "show", "hash@example.test"})),
            "");
  EXPECT_EQ(text_at(json_of({"user", "show", "4000"}), "/email"), "plain@example.test");

  ServerUnderTest server{{.database = database_}};
  auto client = server.client();
  sign_in(client, "hash@example.test", "imported-Sesame");
  sign_in(client, "plain@example.test", "given-Sesame-1");
  EXPECT_THROW(sign_in(client, "none@example.test", ""), std::runtime_error);
  // Ids that were taken by an import are not given again.
  const auto made =
      client.send({.method = "POST", .target = "/user/", .body = R"({"email": "next@example.test",
                                             "password": "open-Sesame-1"})"});
  EXPECT_EQ(text_at(made.json(), "/id"), "4003");
}

TEST_F(CliImport, HashesOfOtherProgramsVerifyAndAreRenewedAtTheFirstSignIn) {
  std::string lines;
  for (const auto* prefix : {"$2a$", "$2b$", "$2y$"}) {
    lines += R"({"email": "of)" + std::string{prefix[2]} + R"(@example.test", "password_hash": ")" +
             prefix + hash_.substr(4) + "\"}\n";
  }
  ASSERT_EQ(cli({"import", directory_.write("hashes.jsonl", lines)}).code, 0);
  ServerUnderTest server{{.arguments = {"--password-cost", "5"}, .database = database_}};
  auto client = server.client();
  DatabaseProbe probe{database_};
  for (const auto* name : {"ofa", "ofb", "ofy"}) {
    const std::string email = std::string{name} + "@example.test";
    sign_in(client, email, "imported-Sesame");
    sign_in(client, email, "imported-Sesame");
    const std::string query = "SELECT password_hash FROM users WHERE email = '" + email + "'";
    EXPECT_TRUE(eventually([&] { return probe.value(query).starts_with("$2b$05$"); })) << name;
    sign_in(client, email, "imported-Sesame");
    EXPECT_THROW(sign_in(client, email, "other-Sesame"), std::runtime_error);
  }
}

TEST_F(CliImport, AHashOfALongPasswordVerifiesAsTheOtherProgramVerifiedIt) {
  // bcrypt sees 72 bytes; programs that did not know took longer passwords.
  const std::string seen = "Sesame" + std::string(66, 'x');
  ASSERT_EQ(cli({"user", "set-password", "1", "--password-stdin"}, seen + "\n").code, 0);
  ServerUnderTest server{{.database = database_}};
  auto client = server.client();
  sign_in(client, "first@example.test", seen);
  sign_in(client, "first@example.test", seen + "and-what-came-after");
  EXPECT_THROW(sign_in(client, "first@example.test", seen.substr(1)), std::runtime_error);
}

TEST_F(CliImport, EveryBadLineIsNamedAndTheOthersAreTaken) {
  const auto file =
      directory_.write("bad.jsonl",
                       "{\"email\": \"good1@example.test\"}\n"                    // 1
                       "{\"email\": \"not an address\"}\n"                        // 2
                       "{\"email\": \"FIRST@example.test\"}\n"                    // 3: taken
                       "not json\n"                                               // 4
                       "{\"email\": \"a@example.test\", \"rolle\": \"admin\"}\n"  // 5: unknown
                       "{\"email\": \"b@example.test\", \"role\": \"king\"}\n"    // 6
                       "{\"email\": \"c@example.test\", \"password_hash\": \"plain\"}\n"  // 7
                       "{\"email\": \"d@example.test\", \"quota_usd\": 1.2345678}\n"      // 8
                       "{\"email\": \"good2@example.test\"}\n"                            // 9
                       "{\"email\": \"GOOD1@example.test\"}\n"  // 10: twice in the file
                       "{\"email\": \"e@example.test\", \"first_name\": \"\\u0000\"}\n"  // 11
                       "{\"email\": \"f@example.test\", \"id\": 1}\n"  // 12: taken
                       "{\"email\": \"\xFF@example.test\"}\n"          // 13
                       "{\"email\": \"good3@example.test\"}");         // 14, without a line end
  const auto rehearsed = cli({"import", file, "--dry-run"});
  EXPECT_EQ(rehearsed.code, 1);
  const std::vector<int> bad{2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13};
  EXPECT_EQ(blamed_lines(rehearsed.err), bad) << rehearsed.err;
  EXPECT_EQ(json_of({"user", "list"}).as_array().size(), 1U);  // nothing was kept

  const auto imported = cli({"import", file});
  EXPECT_EQ(imported.code, 1);
  EXPECT_EQ(blamed_lines(imported.err), bad) << imported.err;
  EXPECT_EQ((imported.out + imported.err).find(hash_), std::string::npos);
  const auto users = json_of({"user", "list"}).as_array();
  ASSERT_EQ(users.size(), 4U);
  EXPECT_EQ(text_at(users[1], "/email"), "good1@example.test");
  EXPECT_EQ(text_at(users[3], "/email"), "good3@example.test");
}

TEST_F(CliImport, CsvIsReadAsItIsWritten) {
  const auto file =
      directory_.write("users.csv",
                       "\xEF\xBB\xBF"
                       "email,first_name,last_name,role,quota_usd,password_hash\r\n"
                       "quoted@example.test,\"Comma, \"\"Quote\"\"\",\"Ünlü\",user,,\r\n"
                       "admin@example.test,Ann,Example,admin,1.5," +
                           hash_ +
                           "\r\n"
                           "short@example.test,only\r\n"
                           "newline@example.test,\"two\nlines\",x,user,,\r\n"
                           "last@example.test,L,M,user,0.1,");
  const auto imported = cli({"import", file});
  EXPECT_EQ(imported.code, 1) << imported.out;
  EXPECT_EQ(blamed_lines(imported.err).size(), 2U) << imported.err;
  EXPECT_EQ(blamed_lines(imported.err).front(), 4) << imported.err;
  EXPECT_EQ(text_at(json_of({"user", "show", "quoted@example.test"}), "/first_name"),
            "Comma, \"Quote\"");
  EXPECT_EQ(text_at(json_of({"user", "show", "admin@example.test"}), "/role"), "admin");
  EXPECT_EQ(text_at(json_of({"user", "show", "last@example.test"}), "/quota_usd"),
            text_at(parse_json(R"({"q": 0.1})"), "/q"));
}

TEST_F(CliImport, WhatIsExportedComesBackAsItWas) {
  const auto in = directory_.write(
      "in.jsonl",
      R"({"email": "one@example.test", "username": "one.1", "first_name": "志明", "last_name": "=1+1",)"
      R"( "quota_usd": "0.000001", "model_capability_settings": {"x": "\"quoted\", comma"}})"
      "\n"
      R"({"email": "two@example.test", "first_name": "\"", "last_name": ",;'", "is_active": false})"
      "\n");
  ASSERT_EQ(cli({"import", in}).code, 0);
  const auto original = json_of({"user", "list"}).as_array();
  for (const auto* format : {"csv", "jsonl"}) {
    const auto out = directory_.file(std::string{"out."} + format);
    const auto exported = cli({"export", "--output", out});
    ASSERT_EQ(exported.code, 0) << exported.err;
    const auto text = test::read_file(out);
    EXPECT_EQ(text.find("$2b$"), std::string::npos) << "a hash was exported";
    EXPECT_EQ(cli({"export", "--format", format}).out, text);
    if (format == std::string{"jsonl"}) {
      EXPECT_EQ(cli({"export", "--json"}).out, text);
    }

    const std::string copy = "sqlite:" + directory_.file(std::string{"copy-"} + format + ".db");
    ASSERT_EQ(run({.program = program(), .arguments = {"migrate", "--database", copy}}).code, 0);
    const auto imported =
        run({.program = program(), .arguments = {"import", out, "--database", copy}});
    ASSERT_EQ(imported.code, 0) << imported.err;
    const auto listed =
        parse_json(
            run({.program = program(), .arguments = {"user", "list", "--json", "--database", copy}})
                .out)
            .as_array();
    ASSERT_EQ(listed.size(), original.size());
    for (std::size_t i = 0; i < original.size(); ++i) {
      for (const auto* member :
           {"/id", "/email", "/username", "/first_name", "/last_name", "/role", "/is_active",
            "/quota_usd", "/used_usd", "/created_at", "/model_capability_settings"}) {
        EXPECT_EQ(text_at(listed[i], member), text_at(original[i], member)) << format << member;
      }
    }
  }
}

TEST_F(CliImport, AnInterruptedImportGoesOnWhereItStopped) {
  std::string lines;
  constexpr int kUsers = 20'000;
  for (int i = 0; i < kUsers; ++i) {
    lines += R"({"email": "many)" + std::to_string(i) + "@example.test\"}\n";
  }
  const auto file = directory_.write("many.jsonl", lines);
  {
    Process import{
        {.program = program(), .arguments = {"import", file, "--database", "sqlite:" + database_}}};
    // Ended in the middle, without any chance to tidy up.
    DatabaseProbe probe{database_};
    EXPECT_TRUE(
        eventually([&] { return std::stoll(probe.value("SELECT count(*) FROM users")) > 1; }));
    import.send_signal(SIGKILL);
    import.wait();
  }
  const auto again = cli({"import", file, "--resume", "--json"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(text_at(parse_json(again.out), "/failed"), "0");
  DatabaseProbe probe{database_};
  EXPECT_EQ(probe.value("SELECT count(*) FROM users"), std::to_string(kUsers + 1));
  EXPECT_EQ(probe.integrity(), "ok");
}

TEST_F(CliImport, IdsOfAFileAreKeptAndTheOthersAreAboveThem) {
  for (const char* lines :
       {"a@example.test,500\nb@example.test,\nc@example.test,\n",
        "d@example.test,\ne@example.test,503\nf@example.test,504\ng@example.test,\n"}) {
    const auto file = directory_.write("ids.csv", std::string{"email,id\n"} + lines);
    EXPECT_EQ(text_at(json_of({"import", file}), "/failed"), "0");
  }
  std::string ids;
  const auto users = json_of({"user", "list"});
  for (const auto& user : users.as_array()) {
    ids += text_at(user, "/email").substr(0, 1) + text_at(user, "/id") + " ";
  }
  EXPECT_EQ(ids, "f1 a500 b501 c502 e503 f504 d505 g506 ");
}

TEST_F(CliImport, ResumedWithoutARecordItKnowsItsOwnRowsAlsoByTheirIds) {
  // As after a kill between the commit and the record of it.
  const auto file = directory_.write("ids.csv",
                                     "email,id,password\n"
                                     "res1@example.test,7001,correct horse 1\n"
                                     "res2@example.test,7002,correct horse 2\n"
                                     "res3@example.test,,correct horse 3\n");
  ASSERT_EQ(cli({"import", file}).code, 0);
  EXPECT_EQ(mismatch(parse_json(R"({"imported": 0, "already_there": 3, "failed": 0})"),
                     json_of({"import", file, "--resume"})),
            "");
}

TEST_F(CliImport, FilesThatCannotBeAreMisuse) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"import"},
           {"import", directory_.file("absent.csv")},
           {"import", directory_.write("users.txt", "x")},
           {"import", directory_.path().string() + "/", "--format", "csv"},
           {"import", directory_.write("x.csv", "first_name,last_name\na,b\n")},
           {"import", directory_.write("y.csv", "email,nickname\na@b,c\n")},
           {"export", "--format", "xml"}}) {
    const auto result = cli(arguments);
    EXPECT_NE(result.code, 0) << result.out;
    EXPECT_NE(result.err, "");
  }
  EXPECT_EQ(cli({"export", "--output", "/proc/no/such/place.csv"}).code, 1);
}

}  // namespace
}  // namespace um::e2e
