// More connections than descriptors: they are refused in order, and service resumes after they
// close.
#include <cstdlib>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class Crowd : public StageTest<Crowd> {};

// Seconds of processor time that the server has used.
double cpu_seconds(pid_t pid) {
  const auto stat = test::read_file("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields{stat.substr(stat.rfind(')') + 2)};
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

TEST_F(Crowd, RunningOutOfDescriptorsIsNotTheEnd) {
  // A sanitizer's checks open pipes: without free descriptors they report faults that do not exist.
  if (std::getenv("UM_PROGRAM") != nullptr) GTEST_SKIP() << "NOT TESTED: not with another program";
  const auto pid = stage().server().process().pid();
  HttpConnection before{stage().server().endpoint()};
  EXPECT_EQ(before.exchange({.target = "/healthz"}).status, 200U);
  rlimit old{};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &old), 0);
  const rlimit few{.rlim_cur = 64, .rlim_max = old.rlim_max};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &few, nullptr), 0);
  {
    std::vector<HttpConnection> crowd;
    for (int i = 0; i < 200; ++i) crowd.emplace_back(stage().server().endpoint());
    // A connection that was open before is served.
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(before.exchange({.target = "/healthz"}).status, 200U);
    }
    // No request for a second: without a free descriptor the server must not spin meanwhile.
    const double used = cpu_seconds(pid);
    EXPECT_THROW(before.read_response(HttpConnection::Body::as_framed,
                                      Steady::now() + std::chrono::seconds{1}),
                 std::runtime_error);
    EXPECT_LT(cpu_seconds(pid) - used, 0.5);
  }
  // They are closed: new connections are served again.
  EXPECT_TRUE(eventually([&] {
    try {
      HttpConnection next{stage().server().endpoint()};
      return next.exchange({.target = "/healthz"}).status == 200;
    } catch (const std::runtime_error&) {
      return false;
    }
  }));
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &old, nullptr), 0);
}

}  // namespace
}  // namespace um::e2e
