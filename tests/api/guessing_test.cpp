// Limits on guessing passwords: per account and per address, also for attempts in parallel.
#include <thread>

#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

HttpRequest guess(const std::string& email, const std::string& password = "wrong-Sesame") {
  return {.method = "POST",
          .target = "/auth/login",
          .body = R"({"email": ")" + email + R"(", "password": ")" + password + R"("})"};
}

class Guessing : public StageTest<Guessing> {
 protected:
  void SetUp() override { stage().add({"ann", "bob"}); }
  // Addresses of their own, so that the tests do not use up each other's attempts.
  static HttpClient somebody() {
    static int number = 10;
    return stage().server().client_from("127.0.7." + std::to_string(++number));
  }
  static unsigned status_of_guess(HttpClient& client, const std::string& email,
                                  const std::string& password = "wrong-Sesame") {
    return client.send(guess(email, password)).status;
  }
};

TEST_F(Guessing, TenFailuresCloseAnAccountAlsoToTheRightPassword) {
  auto client = somebody();
  const auto& email = stage().known("ann.email");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status_of_guess(client, email), 401U) << i;
  EXPECT_EQ(status_of_guess(client, email), 429U);
  EXPECT_EQ(status_of_guess(client, email, "open-Sesame-1"), 429U);
  auto elsewhere = somebody();
  EXPECT_EQ(status_of_guess(elsewhere, email), 429U);
  // The other account and the sessions there are go on.
  EXPECT_EQ(status_of_guess(client, stage().known("bob.email"), "open-Sesame-1"), 200U);
  stage().run(Step{.who = "ann", .request = "GET /auth/me"});
  const auto refused = stage().send(guess(email));
  EXPECT_EQ(refused.status, 429U);
  const int wait = std::stoi(refused.header("Retry-After").value_or("0"));
  EXPECT_GE(wait, 1);
  EXPECT_LE(wait, 16 * 60);  // the window moves in steps
}

TEST_F(Guessing, WritingTheAddressOtherwiseDoesNotHelp) {
  auto client = somebody();
  std::string email = stage().known("ann.email");
  for (std::size_t i = 0; i < 10; ++i) {
    std::string variant = email;
    if (i < 3) variant[i] = static_cast<char>(variant[i] - 'a' + 'A');
    EXPECT_EQ(status_of_guess(client, variant), 401U);
  }
  EXPECT_EQ(status_of_guess(client, email), 429U);
}

TEST_F(Guessing, UnknownAccountsAreClosedInTheSameWay) {
  auto client = somebody();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(status_of_guess(client, "ghost@example.test"), 401U);
  }
  EXPECT_EQ(status_of_guess(client, "ghost@example.test"), 429U);
}

TEST_F(Guessing, SuccessesUseNothingUp) {
  auto client = somebody();
  const auto& email = stage().known("ann.email");
  for (int i = 0; i < 9; ++i) EXPECT_EQ(status_of_guess(client, email), 401U);
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(status_of_guess(client, email, "open-Sesame-1"), 200U) << i;
  }
}

TEST_F(Guessing, ManyAtOnceGetNoMoreThanTenTries) {
  constexpr std::size_t kGuesses = 30;
  std::array<unsigned, kGuesses> statuses{};
  const std::string email = stage().known("ann.email");
  {
    std::vector<std::jthread> guessers;
    for (std::size_t i = 0; i < kGuesses; ++i) {
      guessers.emplace_back([&, i] {
        auto client = stage().server().client_from("127.0.8." + std::to_string(i + 1));
        statuses[i] = client.send(guess(email)).status;
      });
    }
  }
  EXPECT_EQ(std::ranges::count(statuses, 401U), 10);
  EXPECT_EQ(std::ranges::count(statuses, 429U), kGuesses - 10);
}

TEST_F(Guessing, ManyRightOnesAtOnceAllGetIn) {
  constexpr std::size_t kSignIns = 30;
  std::array<unsigned, kSignIns> statuses{};
  const std::string email = stage().known("ann.email");
  {
    std::vector<std::jthread> people;
    for (std::size_t i = 0; i < kSignIns; ++i) {
      people.emplace_back([&, i] {
        auto client = stage().server().client();
        statuses[i] = client.send(guess(email, "open-Sesame-1")).status;
      });
    }
  }
  EXPECT_EQ(std::ranges::count(statuses, 200U), kSignIns);
}

TEST_F(Guessing, AHundredFailuresCloseAnAddress) {
  auto client = somebody();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(status_of_guess(client, "g" + std::to_string(i) + "@example.test"), 401U) << i;
  }
  EXPECT_EQ(status_of_guess(client, "fresh@example.test"), 429U);
  auto elsewhere = somebody();
  EXPECT_EQ(status_of_guess(elsewhere, "fresh@example.test"), 401U);
}

TEST_F(Guessing, TheCurrentPasswordCannotBeGuessedEither) {
  const Step attempt{.who = "ann",
                     .request = "PATCH /user/<ann>",
                     .body = R"({"password": "next-Sesame-2", "current_password": "no-Sesame"})",
                     .status = 422};
  for (int i = 0; i < 10; ++i) stage().run(attempt);
  Step refused = attempt;
  refused.status = 429;
  stage().run(refused);
}

TEST_F(Guessing, AForwardedAddressOfAStrangerCountsForNothing) {
  auto client = somebody();
  for (int i = 0; i < 100; ++i) {
    auto request = guess("x" + std::to_string(i) + "@example.test");
    request.headers.emplace_back("X-Forwarded-For", "203.0.113." + std::to_string(i));
    ASSERT_EQ(client.send(request).status, 401U) << i;
  }
  auto request = guess("fresh2@example.test");
  request.headers.emplace_back("X-Forwarded-For", "203.0.113.200");
  EXPECT_EQ(client.send(request).status, 429U);
}

class GuessingBehindAProxy : public StageTest<GuessingBehindAProxy> {
 public:
  static ServeOptions options() {
    return {.arguments = {"--trusted-proxies", "127.0.0.0/8,10.0.0.0/8"}};
  }

 protected:
  static unsigned status_from(const std::string& forwarded, const std::string& email) {
    auto request = guess(email);
    if (!forwarded.empty()) request.headers.emplace_back("X-Forwarded-For", forwarded);
    return stage().send(request).status;
  }
};

TEST_F(GuessingBehindAProxy, TheLastAddressThatIsNoProxyCounts) {
  for (int i = 0; i < 100; ++i) {
    // An address that the client itself sent stands in front and changes nothing.
    const std::string claimed = "198.51.100." + std::to_string(i) + ", 203.0.113.9, 10.1.2.3";
    ASSERT_EQ(status_from(claimed, "p" + std::to_string(i) + "@example.test"), 401U) << i;
  }
  EXPECT_EQ(status_from("203.0.113.9", "fresh@example.test"), 429U);
  EXPECT_EQ(status_from("1.1.1.1, 203.0.113.9", "fresh@example.test"), 429U);
  EXPECT_EQ(status_from("203.0.113.10", "fresh@example.test"), 401U);
  EXPECT_EQ(status_from("", "fresh@example.test"), 401U);
}

TEST_F(GuessingBehindAProxy, AddressesOfSixAreCountedByNetwork) {
  for (int i = 0; i < 100; ++i) {
    const std::string address = "2001:db8:1:2::" + std::to_string(i + 1);
    ASSERT_EQ(status_from(address, "six" + std::to_string(i) + "@example.test"), 401U) << i;
  }
  EXPECT_EQ(status_from("2001:db8:1:2:ffff::1", "fresh6@example.test"), 429U);
  EXPECT_EQ(status_from("2001:db8:1:3::1", "fresh6@example.test"), 401U);
}

TEST_F(GuessingBehindAProxy, TheSessionTellsTheClientsAddress) {
  stage().add("ann");
  auto request = guess(stage().known("ann.email"), "open-Sesame-1");
  request.headers.emplace_back("X-Forwarded-For", "203.0.113.77");
  EXPECT_EQ(stage().send(request).status, 200U);
  stage().run(Step{.who = "ann",
                   .request = "GET /auth/sessions",
                   .json = R"([{"address": "203.0.113.77"}, {"address": "127.0.0.1"}])"});
}

}  // namespace
}  // namespace um::e2e
