// The arguments of `user-manager monitor`; what it does: tests/api/cli_monitor_test.cpp.
#include <gmock/gmock.h>

#include "cli/testing/cli_harness.hpp"

namespace um {
namespace {

using testing::HasSubstr;
using testing::Not;

class MonitorCommandTest : public CliHarness {
 protected:
  const std::string kUrl = "http://127.0.0.1:1";
  // With a token, unless the arguments bring an account.
  Ran monitor(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"monitor", "--token-file", token_});
    return um(std::move(arguments));
  }
  void expect_misuse(const Ran& ran, const std::string& text) {
    EXPECT_EQ(ran.code, 2) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
  const std::string token_ = write_file("token", "abc\n");
};

TEST_F(MonitorCommandTest, WrongOptionsAreMisuse) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{}, "URL is required"},
      {{"10.0.0.1:8080"}, "URL: \"10.0.0.1:8080\" is not a URL"},
      {{kUrl, kUrl + "/"}, "is given twice"},
      {{"http://a?b=c"}, "query"},
      {{"--interval", "0s", kUrl}, "--interval"},
      {{"--interval", "1", kUrl}, "--interval"},
      {{"--interval", "2min", kUrl}, "--interval"},
      {{"--probes", "0", kUrl}, "--probes"},
      {{"--probes", "21", kUrl}, "--probes"},
      {{"--follow", "1,x", kUrl}, "--follow"},
      {{"--follow", "0", kUrl}, "--follow"},
      {{"--follow", "1,", kUrl}, "--follow"},
      {{"--follow-sample", "1001", kUrl}, "--follow-sample"},
      {{"--duration", "soon", kUrl}, "--duration"},
      {{"--report-interval", "1ms", kUrl}, "--report-interval"},
      {{"--bound", "1h", kUrl}, "--bound"},
      {{"--follow-bound", "-1s", kUrl}, "--follow-bound"},
      {{"--timeout", "1ms", kUrl}, "--timeout"},
      {{"--metrics-listen", "9100", kUrl}, "--metrics-listen"},
      {{"--ca-file", file("none.pem"), kUrl}, "none.pem"},
      {{"--token", "abc", kUrl}, "--token"},
      {{"--database", "sqlite:x", kUrl}, "--database"},
      {{"--email", "root@example.test", kUrl}, "give --token-file, or --email"},
  };
  for (const auto& [arguments, text] : wrong) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    expect_misuse(monitor(arguments), text);
  }
}

TEST_F(MonitorCommandTest, AnAccountIsNeeded) {
  expect_misuse(um({"monitor", kUrl}), "give --token-file, or --email and --password-file");
  expect_misuse(um({"monitor", "--email", "a@b", kUrl}), "belong together");
  expect_misuse(um({"monitor", "--token-file", token_, "--password-file", token_, kUrl}),
                "belong together");
  expect_misuse(um({"monitor", "--token-file", file("none"), kUrl}), "none");
  expect_misuse(um({"monitor", "--token-file", write_file("lines", "\nabc\n"), kUrl}),
                "first line of the file is empty");
}

TEST_F(MonitorCommandTest, UserInformationOfAUrlIsNotRepeated) {
  const auto ran = monitor({"http://ann:secret@10.0.0.1"});
  expect_misuse(ran, "user information");
  EXPECT_THAT(ran.err, Not(HasSubstr("secret")));
}

TEST_F(MonitorCommandTest, NoInstanceThatAnswersIsAFailure) {
  const auto ran = monitor({"--timeout", "1s", kUrl});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("no instance creates a probe user: "));
}

}  // namespace
}  // namespace um
