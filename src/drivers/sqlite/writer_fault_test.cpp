#include <sqlite3.h>

#include "support/writer_stage.hpp"

namespace um::sqlite {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using WriterFaultTest = WriterStage;

void expect_unavailable(const Result<int>& answer, std::string_view saying) {
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(answer.error().retry_after);
  EXPECT_THAT(answer.error().detail, HasSubstr(std::string{saying}));
}

TEST_F(WriterFaultTest, AFullDiskRefusesWritesUntilThereIsRoom) {
  vfs_.fail_writes(SQLITE_FULL);
  for (const char* text : {"a", "b", "c"}) expect_unavailable(test::run(insert(text)), "full");
  EXPECT_EQ(rows(), 0);
  EXPECT_THAT(lines(), SizeIs(1));
  vfs_.fail_writes(0);
  EXPECT_TRUE(test::run(insert("d")));
  EXPECT_EQ(rows(), 1);
  ASSERT_THAT(lines(), SizeIs(2));
  EXPECT_THAT(lines().back(), HasSubstr("again"));
}

TEST_F(WriterFaultTest, AFullDiskIsAnnouncedAsNotChanged) {
  vfs_.fail_writes(SQLITE_FULL);
  expect_unavailable(test::run(insert("a")), "full");
  EXPECT_THAT(observer_.take(), ElementsAre("hold a", "release a"));
}

TEST_F(WriterFaultTest, TheLargeWriteThatDoesNotFitRefusesOnlyItself) {
  ASSERT_TRUE(test::run(insert("first")));
  // A limit of SQLite itself, on the writer's own connection.
  EXPECT_TRUE(test::run(writer_->run<int>({}, [](Transaction& tx) -> Result<int> {
    const auto pages = tx.db().integer("PRAGMA page_count") + 6;
    tx.db().execute(("PRAGMA max_page_count = " + std::to_string(pages)).c_str());
    return 1;
  })));
  std::vector<Task<Result<int>>> tasks;
  tasks.push_back(insert("small"));
  tasks.push_back(insert(std::string(400'000, 'x')));
  tasks.push_back(insert("other"));
  const auto answers = together(std::move(tasks));
  EXPECT_TRUE(answers[0]);
  expect_unavailable(answers[1], "full");
  EXPECT_TRUE(answers[2]);
  EXPECT_EQ(rows(), 3);
}

TEST_F(WriterFaultTest, AGroupThatCannotBeCommittedIsTriedOneByOne) {
  vfs_.fail_writes(SQLITE_FULL);
  std::vector<Task<Result<int>>> tasks;
  tasks.push_back(insert("a"));
  tasks.push_back(insert("b"));
  for (const auto& answer : together(std::move(tasks))) expect_unavailable(answer, "full");
  EXPECT_THAT(observer_.take(),
              ElementsAre("hold a b", "release a b", "hold a", "release a", "hold b", "release b"));
  EXPECT_EQ(rows(), 0);
}

TEST_F(WriterFaultTest, AFileThatBecameReadOnlyRefusesWritesUntilItIsNot) {
  vfs_.fail_writes(SQLITE_READONLY);
  expect_unavailable(test::run(insert("a")), "cannot be written");
  vfs_.fail_writes(0);
  EXPECT_TRUE(test::run(insert("b")));
  EXPECT_EQ(rows(), 1);
}

TEST_F(WriterFaultTest, ASyncThatFailsLeavesTheOutcomeUnknownAndTheConnectionIsOpenedAgain) {
  vfs_.fail_syncs(SQLITE_IOERR_FSYNC);
  const auto answer = test::run(insert("a"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unknown_outcome);
  vfs_.fail_syncs(0);
  EXPECT_TRUE(test::run(insert("b")));
  const auto notes = observer_.take();
  ASSERT_GE(notes.size(), 4U);
  EXPECT_EQ(notes[0], "hold a");
  EXPECT_EQ(notes[1], "unknown a");
  EXPECT_EQ(notes[2], "opened");
  EXPECT_THAT(notes, Contains("settle b"));
  EXPECT_EQ(rows(), 1);
}

TEST_F(WriterFaultTest, AFileThatIsGoneIsUnavailableAndReadersSurvive) {
  vfs_.fail_writes(SQLITE_IOERR_WRITE);
  const auto answer = test::run(insert("a"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(rows(), 0);
  vfs_.fail_writes(0);
  EXPECT_TRUE(test::run(insert("a")));
}

}  // namespace
}  // namespace um::sqlite
