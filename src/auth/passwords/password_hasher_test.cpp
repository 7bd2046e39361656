#include "auth/passwords/password_hasher.hpp"

#include <gtest/gtest.h>

#include "auth/passwords/bcrypt.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using test::run;

const PasswordHasherOptions kFast{.cost = 4, .threads = 2, .queue = 10};

TEST(PasswordHasher, WhatItHashesItVerifies) {
  PasswordHasher hasher{kFast};
  const auto hash = run(hasher.hash(Secret{"correct horse"}, Deadline::never()));
  ASSERT_TRUE(hash);
  EXPECT_EQ(run(hasher.verify(Secret{"correct horse"}, *hash, Deadline::never())), true);
  EXPECT_EQ(run(hasher.verify(Secret{"wrong"}, *hash, Deadline::never())), false);
  EXPECT_EQ(hasher.stats().hashed, 1u);
  EXPECT_EQ(hasher.stats().verified, 2u);
}

TEST(PasswordHasher, UnknownBrokenAndExpensiveAreFalseAndEachCostsACheck) {
  PasswordHasher hasher{kFast};
  const std::string tail{bcrypt::unmatchable(4).reveal().substr(7)};
  const std::optional<Secret> stored[] = {std::nullopt,
                                          Secret{},
                                          Secret{"*0"},
                                          Secret{"$2b$04$x"},
                                          Secret{"$2b$15$" + tail},
                                          Secret{"$2b$31$" + tail}};
  for (const auto& hash : stored) {
    EXPECT_EQ(run(hasher.verify(Secret{"x"}, hash, Deadline::never())), false);
  }
  EXPECT_EQ(hasher.stats().verified, std::size(stored));
}

TEST(PasswordHasher, ARefusalTakesTheSameRoundsWhateverTheCheaperHashCost) {
  PasswordHasher hasher{{.cost = 7, .threads = 1, .queue = 1}};
  std::uint64_t before = 0;
  for (const int cost : {4, 5, 6, 7}) {
    const Secret stored = *bcrypt::hash(Secret{"right"}, cost);
    EXPECT_EQ(run(hasher.verify(Secret{"wrong"}, stored, Deadline::never())), false);
    EXPECT_EQ(hasher.stats().rounds - before, 1u << 7) << cost;
    before = hasher.stats().rounds;
  }
  EXPECT_EQ(run(hasher.verify(Secret{"wrong"}, std::nullopt, Deadline::never())), false);
  EXPECT_EQ(hasher.stats().rounds - before, 1u << 7);
  before = hasher.stats().rounds;
  const Secret cheap = *bcrypt::hash(Secret{"right"}, 4);
  EXPECT_EQ(run(hasher.verify(Secret{"right"}, cheap, Deadline::never())), true);
  EXPECT_EQ(hasher.stats().rounds - before, 1u << 4) << "a correct password may be answered sooner";
}

TEST(PasswordHasher, APasswordThatCannotBeHashedIsAnError) {
  PasswordHasher hasher{kFast};
  for (const std::string& password :
       {std::string{}, std::string(73, 'x'), std::string("a\0b", 3)}) {
    const auto hash = run(hasher.hash(Secret{password}, Deadline::never()));
    ASSERT_FALSE(hash);
    EXPECT_EQ(hash.error().code, ErrorCode::invalid);
  }
}

TEST(PasswordHasher, HashesOfAnotherCostOrPrefixAreToBeMadeAgain) {
  const PasswordHasher hasher{{.cost = 5, .threads = 1, .queue = 1}};
  const std::string tail{bcrypt::unmatchable(4).reveal().substr(7)};
  EXPECT_FALSE(hasher.needs_rehash(Secret{"$2b$05$" + tail}));
  EXPECT_TRUE(hasher.needs_rehash(Secret{"$2b$04$" + tail}));
  EXPECT_TRUE(hasher.needs_rehash(Secret{"$2b$06$" + tail}));
  EXPECT_TRUE(hasher.needs_rehash(Secret{"$2a$05$" + tail}));
  EXPECT_TRUE(hasher.needs_rehash(Secret{"$2y$05$" + tail}));
}

TEST(PasswordHasher, ItsOptionsAreChecked) {
  EXPECT_THROW((PasswordHasher{{.cost = 3}}), std::invalid_argument);
  EXPECT_THROW((PasswordHasher{{.cost = 15}}), std::invalid_argument);
  EXPECT_THROW((PasswordHasher{{.threads = 0}}), std::invalid_argument);
  EXPECT_THROW((PasswordHasher{{.queue = 0}}), std::invalid_argument);
}

TEST(PasswordHasher, ADeadlineIsMeasuredWithTheGivenClock) {
  ManualClock clock;
  PasswordHasher hasher{kFast, clock};
  const Deadline soon = Deadline::after(clock, std::chrono::seconds{10});
  EXPECT_TRUE(run(hasher.hash(Secret{"x"}, soon)));
  clock.advance(std::chrono::seconds{10});
  EXPECT_EQ(run(hasher.hash(Secret{"x"}, soon)).error().code, ErrorCode::timeout);
}

TEST(PasswordHasher, HashingHereIsTheSame) {
  const auto hash = bcrypt::hash(Secret{"x"}, 4);
  ASSERT_TRUE(hash);
  EXPECT_TRUE(is_supported_hash(hash->reveal()));
  EXPECT_FALSE(is_supported_hash("x"));
}

}  // namespace
}  // namespace um
