#include "cache/fact_codec.hpp"

#include <gtest/gtest.h>

#include "support/fact_samples.hpp"

namespace um {
namespace {

using test::fact_of;
using test::full_session;
using test::full_user;
using test::key_of;
using test::plain_user;
using test::same;
using test::sample_stamp;

struct Sample {
  std::string key;
  Fact fact;
};
std::vector<Sample> samples() {
  return {{key_of(full_user()), fact_of(full_user())},
          {key_of(plain_user()), fact_of(plain_user())},
          {key_of(full_session()), fact_of(full_session())},
          {"email:a@b", {.value = *UserId::from(7), .read_in = sample_stamp()}},
          {"email:a@b", {.value = Absent{}, .read_in = sample_stamp()}},
          {"user:7", {.value = Absent{}, .read_in = {.tau = {.low = 1}, .snapshot = {}}}}};
}

TEST(FactCodec, EveryMemberComesBack) {
  for (const auto& [key, fact] : samples()) {
    const auto again = decode_fact(key, encode_fact(fact));
    ASSERT_TRUE(again) << key;
    EXPECT_TRUE(same(*again, fact)) << key;
  }
}

TEST(FactCodec, NoPartOfAFactIsAFact) {
  for (const auto& [key, fact] : samples()) {
    const std::string bytes = encode_fact(fact);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(decode_fact(key, bytes.substr(0, size))) << key << ' ' << size;
    EXPECT_FALSE(decode_fact(key, bytes + '\0')) << key;
  }
}

TEST(FactCodec, AValueBelongsUnderItsKindOfKey) {
  const std::string user = encode_fact(fact_of(full_user()));
  EXPECT_FALSE(decode_fact("user:43", user)) << "another user's key";
  EXPECT_FALSE(decode_fact("email:a@b", user));
  const std::string session = encode_fact(fact_of(full_session()));
  EXPECT_FALSE(decode_fact("user:42", session));
  EXPECT_FALSE(decode_fact("session:0123", session)) << "no session id";
  const std::string address = encode_fact({.value = *UserId::from(7), .read_in = sample_stamp()});
  EXPECT_FALSE(decode_fact("user:7", address));
  EXPECT_FALSE(decode_fact("", address));
}

TEST(FactCodec, AFactWithoutANamespaceIsNone) {
  Fact fact{.value = Absent{}, .read_in = sample_stamp()};
  fact.read_in.tau = Tau{};
  EXPECT_FALSE(decode_fact("user:7", encode_fact(fact)));
}

TEST(FactCodec, ASnapshotThatPostgresqlCannotHaveGivenIsRefused) {
  for (const auto& xip : {std::vector<Xid>{5, 4}, {4, 4}, {4, 100}, {101}}) {
    Fact fact{.value = Absent{}, .read_in = sample_stamp()};
    fact.read_in.snapshot = {.xmax = 100, .xip = xip};
    EXPECT_FALSE(decode_fact("user:7", encode_fact(fact)));
  }
}

// The bytes are a contract with instances of other versions: if this test fails, kFactSchema must
// change together with the expectation.
TEST(FactCodec, TheBytesAreThoseOfTheSchema) {
  using namespace std::string_literals;
  ASSERT_EQ(kFactSchema, 1);
  const Fact fact{.value = *UserId::from(258),
                  .read_in = {.tau = {.high = 1, .low = 2}, .snapshot = {.xmax = 9, .xip = {7}}}};
  EXPECT_EQ(encode_fact(fact),
            "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
            "\x9\0\0\0\0\0\0\0\1\0\0\0\7\0\0\0\0\0\0\0"
            "\1\2\1\0\0\0\0\0\0"s);
  // Stamp and kind, then all members of a user, of a session.
  constexpr std::size_t kHead = 16 + 8 + 4 + 3 * 8 + 1;
  EXPECT_EQ(encode_fact(fact_of(plain_user())).size(), kHead + 84);
  EXPECT_EQ(encode_fact(fact_of(full_session())).size(), kHead + 33 + (4 + 11) + (4 + 8));
}

}  // namespace
}  // namespace um
