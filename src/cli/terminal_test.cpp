#include "cli/terminal.hpp"

#include <array>
#include <fstream>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "support/patience.hpp"

namespace um {
namespace {

// A child process that asks for a password on a terminal of its own, of which this is the other
// end.
class Terminal : public ::testing::Test {
 protected:
  static constexpr int kAnswered = 10;
  static constexpr int kCancelled = 11;

  void SetUp() override {
    ASSERT_EQ(::openpty(&master_, &slave_, nullptr, nullptr, nullptr), 0);
    child_ = ::fork();
    ASSERT_GE(child_, 0);
    if (child_ == 0) ask();
    ASSERT_TRUE(shows("Password: "));
    // A signal between the prompt and the read would be noticed only by the next one.
    ASSERT_TRUE(e2e::eventually([this] { return waits_for_input(); }));
    ASSERT_FALSE(echoes());
  }
  void TearDown() override {
    ::close(master_);
    ::close(slave_);
  }

  void type(std::string_view text) const {
    ASSERT_EQ(::write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  bool echoes() const {
    termios now{};
    EXPECT_EQ(::tcgetattr(slave_, &now), 0);
    return (now.c_lflag & ECHO) != 0;
  }
  // Its wait status.
  int end() const {
    int status = 0;
    EXPECT_EQ(::waitpid(child_, &status, 0), child_);
    return status;
  }

  pid_t child_ = -1;

 private:
  [[noreturn]] void ask() const {
    ::close(master_);
    ::setsid();
    ::ioctl(slave_, TIOCSCTTY, 0);
    const auto secret = ask_on_terminal("Password: ");
    ::_exit(!secret ? kCancelled : secret->reveal() == "open Sesame" ? kAnswered : 0);
  }
  bool shows(std::string_view wanted) const {
    std::string seen;
    while (seen.find(wanted) == std::string::npos) {
      pollfd ready{.fd = master_, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 30'000) <= 0) return false;
      std::array<char, 64> bytes{};
      const auto size = ::read(master_, bytes.data(), bytes.size());
      if (size <= 0) return false;
      seen.append(bytes.data(), static_cast<std::size_t>(size));
    }
    return true;
  }

  // After the prompt the child sleeps only in the read.
  bool waits_for_input() const {
    std::ifstream stat{"/proc/" + std::to_string(child_) + "/stat"};
    std::string text;
    std::getline(stat, text);
    const auto state = text.rfind(')');  // "pid (name) S …"
    return state != std::string::npos && text.substr(state, 4) == ") S ";
  }

  int master_ = -1;
  int slave_ = -1;
};

TEST_F(Terminal, WhatIsTypedIsReadAndTheEchoComesBack) {
  type(
      "open Sesamx\x7F"
      "e\r");
  const int status = end();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), kAnswered);
  EXPECT_TRUE(echoes());
}

TEST_F(Terminal, CtrlCEndsTheProcessAfterTheEchoCameBack) {
  type("open\x03");
  const int status = end();
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
  EXPECT_TRUE(echoes());
}

TEST_F(Terminal, CtrlDCancelsTheQuestion) {
  type("\x04");
  const int status = end();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), kCancelled);
  EXPECT_TRUE(echoes());
}

TEST_F(Terminal, ASignalEndsTheProcessAfterTheEchoCameBack) {
  type("op");
  ::kill(child_, SIGTERM);
  const int status = end();
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_TRUE(echoes());
}

TEST_F(Terminal, AnInterruptOfAnotherProcessDoesTheSame) {
  ::kill(child_, SIGINT);
  const int status = end();
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
  EXPECT_TRUE(echoes());
}

}  // namespace
}  // namespace um
