#include <gmock/gmock.h>

#include "async/run_task.hpp"
#include "cli/testing/cli_harness.hpp"

namespace um {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kHash = "$2b$04$abcdefghijklmnopqrstuuMSaxbcF1yBFZIRTsLM0fYDyIhPb3EYe";

// Asks to stop when it has been asked `calls` times.
class InterruptAfter final : public Interrupts {
 public:
  explicit InterruptAfter(int calls) : left_{calls} {}
  bool requested() override { return --left_ <= 0; }

 private:
  int left_;
};

class ImportTest : public CliHarness {
 protected:
  void interrupt_after(int batches) {
    watch_interrupts_ = [batches] { return std::make_unique<InterruptAfter>(batches); };
  }
  static std::string many(int from, int to) {
    std::string text;
    for (int i = from; i <= to; ++i) text += "{\"email\":\"u" + std::to_string(i) + "@x\"}\n";
    return text;
  }
  std::string count() {
    const auto storage = open_sqlite({.file = file("users.db"), .clock = &clock_});
    return std::to_string(um::run((*storage)->users().count("", Deadline::never())).value_or(-1));
  }
};

TEST_F(ImportTest, UsersComeFromCsvWithTheirIdsAndHashes) {
  const auto path = write_file("users.csv",
                               "id,email,first_name,role,password_hash\r\n"
                               "42,ann@x,\"Ann, the first\",admin," +
                                   std::string{kHash} + "\r\n,bob@x,,,\r\n");
  const auto ran = um({"import", path});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "imported 2 users\n");
  EXPECT_THAT(um({"user", "show", "42"}).out, HasSubstr("first name     Ann, the first\n"));
  const auto storage = open_sqlite({.file = file("users.db"), .clock = &clock_});
  const auto found = um::run((*storage)->users().credentials(*UserId::from(42), Deadline::never()));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((**found).password_hash.reveal(), kHash);
}

TEST_F(ImportTest, LinesThatDoNotFitAreNamedAndLeftOut) {
  const auto path = write_file("users.jsonl",
                               "{\"email\":\"ann@x\"}\n"
                               "{\"email\":\"nobody\"}\n"
                               "\n"
                               "not json\n"
                               "{\"email\":\"bob@x\",\"password_hash\":\"md5\"}\n"
                               "{\"email\":\"cat@x\",\"password\":\"short\"}\n"
                               "{\"email\":\"ANN@x\"}\n"
                               "{\"email\":\"dan@x\"}\n");
  const auto ran = um({"import", path});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "imported 2 users, 5 lines failed\n");
  for (const char* line :
       {"line 2: email: ", "line 4: ", "line 5: password_hash: is not a bcrypt hash",
        "line 6: password: ", "line 7: "}) {
    EXPECT_THAT(ran.err, HasSubstr(line));
  }
  EXPECT_LT(ran.err.find("line 6"), ran.err.find("line 7"));
  EXPECT_EQ(count(), "2");
}

TEST_F(ImportTest, ADryRunChecksEverythingAndKeepsNothing) {
  create("ann@x");
  const auto path = write_file("users.jsonl",
                               "{\"email\":\"bob@x\",\"username\":\"bob\"}\n{\"email\":\"ann@x\"}\n"
                               "{\"email\":\"BOB@x\"}\n{\"email\":\"c@x\",\"username\":\"Bob\"}\n");
  const auto ran = um({"import", path, "--dry-run"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "would import 1 user, 3 lines failed\n");
  EXPECT_THAT(ran.err, HasSubstr("line 2: "));
  EXPECT_THAT(ran.err, HasSubstr("line 3: an earlier line has this e-mail address"));
  EXPECT_THAT(ran.err, HasSubstr("line 4: an earlier line has this username"));
  EXPECT_EQ(count(), "1");
  EXPECT_FALSE(std::filesystem::exists(path + ".import-state"));
}

TEST_F(ImportTest, PlainPasswordsAreHashed) {
  const auto path =
      write_file("users.jsonl", "{\"email\":\"ann@x\",\"password\":\"correct horse\"}\n");
  EXPECT_EQ(um({"import", path}).code, 0);
  const auto storage = open_sqlite({.file = file("users.db"), .clock = &clock_});
  const auto found =
      um::run((*storage)->users().credentials(*Email::parse("ann@x"), Deadline::never()));
  EXPECT_THAT(std::string{(**found).password_hash.reveal()}, testing::StartsWith("$2b$04$"));
}

TEST_F(ImportTest, AnInterruptedImportGoesOnWhereItStopped) {
  const auto path = write_file("users.jsonl", many(1, 2500));
  interrupt_after(1);
  const auto stopped = um({"import", path});
  EXPECT_EQ(stopped.code, 1);
  EXPECT_EQ(stopped.out, "imported 1,000 users\n");
  EXPECT_THAT(stopped.err,
              HasSubstr("stopped after line 1000; everything up to there is in the database; go on "
                        "with: user-manager import " +
                        path + " --resume"));
  EXPECT_EQ(count(), "1000");

  watch_interrupts_ = nullptr;
  const auto resumed = um({"import", path, "--resume"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(resumed.out, "imported 1,500 users, 1,000 already there\n");
  EXPECT_EQ(count(), "2500");
  EXPECT_FALSE(std::filesystem::exists(path + ".import-state"));
}

TEST_F(ImportTest, ResumingWithoutARecordSkipsWhoIsThereAlready) {
  const auto path = write_file("users.jsonl", many(1, 10));
  EXPECT_EQ(um({"import", path}).code, 0);
  const auto longer = write_file("more.jsonl", many(1, 12));
  const auto ran = um({"import", longer, "--resume"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "imported 2 users, 10 already there\n");
}

TEST_F(ImportTest, ResumingHashesNoPasswordOfAUserWhoIsThere) {
  std::string lines;
  for (int i = 1; i <= 100; ++i)
    lines += "{\"email\":\"u" + std::to_string(i) + "@x\",\"password\":\"correct horse\"}\n";
  const auto path = write_file("users.jsonl", lines);
  EXPECT_EQ(um({"import", path}).out, "imported 100 users\n");
  // Passwords to be hashed fill a batch of 32 lines, after which the interrupt would stop the run.
  interrupt_after(1);
  const auto resumed = um({"import", path, "--resume"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(resumed.out, "imported 0 users, 100 already there\n");
}

TEST_F(ImportTest, WhoWasImportedWithAnIdIsThereAlready) {
  const auto path = write_file("users.csv", "email,id\na@x,7001\nb@x,7002\nc@x,\n");
  EXPECT_EQ(um({"import", path}).code, 0);
  const auto resumed = um({"import", path, "--resume"});
  EXPECT_EQ(resumed.code, 0);
  EXPECT_EQ(resumed.err, "");
  EXPECT_EQ(resumed.out, "imported 0 users, 3 already there\n");
  const auto again = um({"import", path});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("line 2: the e-mail address is taken\n"));
}

TEST_F(ImportTest, AnIdThatAnotherUserHasFailsAlsoWhenResuming) {
  EXPECT_EQ(um({"import", write_file("a.csv", "email,id\na@x,7001\nb@x,7002\n")}).code, 0);
  const auto path = write_file("b.csv", "email,id\nc@x,7001\na@x,7002\na@x,7003\n");
  const auto resumed = um({"import", path, "--resume"});
  EXPECT_EQ(resumed.code, 1);
  EXPECT_EQ(resumed.err,
            "line 2: another user has the id 7001\nline 3: another user has the id 7002\n");
  EXPECT_THAT(resumed.out, HasSubstr(", 1 already there, "));
  EXPECT_EQ(um({"import", write_file("c.csv", "email\nnobody\n")}).out,
            "imported 0 users, 1 line failed\n");
}

TEST_F(ImportTest, WhatCannotBeReadIsMisuse) {
  EXPECT_EQ(um({"import", file("missing.csv")}).code, 2);
  EXPECT_EQ(um({"import", file(".")}).code, 2);
  EXPECT_EQ(um({"import", write_file("users.xlsx", "x")}).code, 2);
  const auto header = um({"import", write_file("users.csv", "name,mail\n1,2\n")});
  EXPECT_EQ(header.code, 2);
  EXPECT_THAT(header.err, Not(HasSubstr("imported")));
  EXPECT_EQ(um({"import", write_file("users.txt", many(1, 1)), "--format", "jsonl"}).code, 0);
}

TEST_F(ImportTest, AnEmptyFileImportsNobody) {
  EXPECT_EQ(um({"import", write_file("empty.jsonl", "")}).out, "imported 0 users\n");
}

TEST_F(ImportTest, JsonSumsUp) {
  EXPECT_EQ(um({"import", write_file("a.jsonl", many(1, 2)), "--json"}).out,
            "{\"dry_run\":false,\"complete\":true,\"imported\":2,\"already_there\":0,\"failed\":0,"
            "\"last_line\":2}\n");
}

TEST_F(ImportTest, WhatIsExportedCanBeImported) {
  create("ann@x", {"--first-name", "=1+1", "--last-name", "a,\"b\"", "--quota-usd", "1.5",
                   "--username", "ann"});
  create("bob@x", {"--role", "service"});
  for (const std::string name : {"out.csv", "out.jsonl"}) {
    const auto exported = um({"export", "--output", file(name)});
    EXPECT_EQ(exported.code, 0) << exported.err;
    EXPECT_EQ(exported.err, "exported 2 users\n");
    EXPECT_THAT(read_file(file(name)), Not(HasSubstr("$2b$")));
    const std::string other = "sqlite:" + file(name + ".db");
    const auto imported = um({"import", file(name), "--database", other});
    EXPECT_EQ(imported.code, 0) << imported.err;
    const auto shown = um({"user", "show", "ann@x", "--database", other}).out;
    EXPECT_THAT(shown, HasSubstr("first name     =1+1\n"));
    EXPECT_THAT(shown, HasSubstr("last name      a,\"b\"\n"));
    EXPECT_THAT(shown, HasSubstr("quota          1.5 USD\n"));
  }
}

TEST_F(ImportTest, ExportGoesToStandardOutputInEitherFormat) {
  create("ann@x");
  EXPECT_THAT(um({"export"}).out, testing::StartsWith("id,email,"));
  EXPECT_THAT(um({"export", "--format", "jsonl"}).out, testing::StartsWith("{\"id\":"));
  EXPECT_EQ(um({"export", "--json"}).out, um({"export", "--format", "jsonl"}).out);
  EXPECT_EQ(um({"export", "--json", "--format", "jsonl"}).out, um({"export", "--json"}).out);
  EXPECT_THAT(um({"export", "--json", "--format", "csv"}).err, HasSubstr("exclude each other"));
  EXPECT_EQ(um({"export", "--format", "xml"}).code, 2);
  EXPECT_EQ(um({"export", "--output", file("none/out.csv")}).code, 1);
}

TEST_F(ImportTest, ExportGuessesNoFormat) {
  create("ann@x");
  for (const char* name : {"out.xml", "out", "out.csv.gz"}) {
    const auto ran = um({"export", "--output", file(name)});
    EXPECT_EQ(ran.code, 2) << name;
    EXPECT_THAT(ran.err, HasSubstr("--format"));
    EXPECT_FALSE(std::filesystem::exists(file(name)));
  }
  EXPECT_EQ(um({"export", "--output", file("out.xml"), "--format", "jsonl"}).code, 0);
  EXPECT_THAT(read_file(file("out.xml")), testing::StartsWith("{\"id\":"));
}

TEST_F(ImportTest, AnInterruptedExportLeavesNoFile) {
  EXPECT_EQ(um({"import", write_file("users.jsonl", many(1, 1500))}).code, 0);
  write_file("out.csv", "what was there before");
  interrupt_after(1);
  const auto ran = um({"export", "--output", file("out.csv")});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err,
              HasSubstr("nothing was written to " + file("out.csv") + "; run the command again"));
  EXPECT_EQ(read_file(file("out.csv")), "what was there before");
  EXPECT_FALSE(std::filesystem::exists(file("out.csv.partial")));
  watch_interrupts_ = nullptr;
  EXPECT_EQ(um({"export", "--output", file("out.csv")}).code, 0);
  EXPECT_EQ(std::ranges::count(read_file(file("out.csv")), '\n'), 1501);
  const auto mode = std::filesystem::status(file("out.csv")).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(ImportTest, MigrateShowsWhatIsPendingAndThenNothing) {
  const auto pending = um({"migrate", "--dry-run"});
  EXPECT_EQ(pending.code, 0) << pending.err;
  EXPECT_THAT(pending.out, testing::StartsWith("pending: 0001_"));
  EXPECT_FALSE(std::filesystem::exists(file("users.db")));
  EXPECT_THAT(um({"migrate"}).out, testing::StartsWith("applied: 0001_"));
  EXPECT_EQ(um({"migrate"}).out, "the schema is up to date\n");
}

TEST_F(ImportTest, BackupCopiesAndNeverOverwrites) {
  create("ann@x");
  EXPECT_EQ(um({"backup", file("copy.db")}).code, 0);
  EXPECT_EQ(um({"user", "show", "ann@x", "--database", "sqlite:" + file("copy.db")}).code, 0);
  EXPECT_EQ(um({"backup", file("copy.db")}).code, 1);
}

TEST_F(ImportTest, BackupOfNothingSaysSo) {
  const auto ran = um({"backup", file("copy.db"), "--database", "sqlite:" + file("none.db")});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("there is no database at " + file("none.db")));
  const auto folder = um({"backup", file("copy.db"), "--database", "sqlite:" + file("")});
  EXPECT_EQ(folder.code, 2);
  EXPECT_THAT(folder.err, HasSubstr("is a directory"));
  EXPECT_FALSE(std::filesystem::exists(file("copy.db")));
}

}  // namespace
}  // namespace um
