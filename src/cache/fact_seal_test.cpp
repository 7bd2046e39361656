#include "cache/fact_seal.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fact_samples.hpp"

namespace um {
namespace {

using test::fact_of;
using test::full_session;
using test::full_user;
using test::key_of;
using test::same;

const Secret kKey{"a key of sixteen bytes or more"};
const Secret kOtherKey{"a key of another deployment..."};

EntryFault fault(const std::expected<Fact, EntryFault>& opened) {
  EXPECT_FALSE(opened.has_value());
  return opened ? EntryFault::malformed : opened.error();
}

TEST(FactSeal, WhatWasSealedIsOpenedByEveryInstance) {
  const std::string key = key_of(full_user());
  const std::string entry = FactSeal{kKey}.seal(key, fact_of(full_user()));
  const auto fact = FactSeal{kKey}.open(key, entry);
  ASSERT_TRUE(fact);
  EXPECT_TRUE(same(*fact, fact_of(full_user())));
}

TEST(FactSeal, NoChangeOfASingleBitIsBelieved) {
  const FactSeal seal{kKey};
  const std::string key = key_of(full_session());
  const std::string entry = seal.seal(key, fact_of(full_session()));
  for (std::size_t bit = 0; bit < entry.size() * 8; ++bit) {
    std::string changed = entry;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(fault(seal.open(key, changed)), bit < 32 ? EntryFault::foreign : EntryFault::forged)
        << bit;
  }
}

TEST(FactSeal, NoPartOfAnEntryIsBelieved) {
  const FactSeal seal{kKey};
  const std::string key = key_of(full_session());
  const std::string entry = seal.seal(key, fact_of(full_session()));
  for (std::size_t size = 0; size < entry.size(); ++size)
    EXPECT_EQ(fault(seal.open(key, entry.substr(0, size))),
              size < 20 ? EntryFault::truncated : EntryFault::forged);
  EXPECT_EQ(fault(seal.open(key, entry + "x")), EntryFault::forged);
}

TEST(FactSeal, AnEntryIsBelievedUnderItsOwnKeyOnly) {
  const FactSeal seal{kKey};
  const Fact absent{.value = Absent{}, .read_in = test::sample_stamp()};
  const std::string entry = seal.seal("user:1", absent);
  EXPECT_TRUE(seal.open("user:1", entry));
  for (const char* key : {"user:2", "user:11", "email:user:1", "", "session:1"})
    EXPECT_EQ(fault(seal.open(key, entry)), EntryFault::forged);
}

TEST(FactSeal, AnotherDeploymentsEntryIsNotBelieved) {
  const std::string entry = FactSeal{kOtherKey}.seal("user:42", fact_of(full_user()));
  EXPECT_EQ(fault(FactSeal{kKey}.open("user:42", entry)), EntryFault::forged);
}

TEST(FactSeal, AnotherSchemasEntryIsForeign) {
  const FactSeal seal{kKey};
  std::string entry = seal.seal("user:42", fact_of(full_user()));
  entry[2] = static_cast<char>(entry[2] + 1);
  EXPECT_EQ(fault(seal.open("user:42", entry)), EntryFault::foreign);
}

TEST(FactSeal, WhatIsTooLargeIsNotEvenRead) {
  const FactSeal seal{kKey};
  Fact fact{.value = Absent{}, .read_in = test::sample_stamp()};
  fact.read_in.snapshot.xmax = 100'000;
  fact.read_in.snapshot.xip.clear();
  for (Xid xid = 0; xid < 10'000; ++xid) fact.read_in.snapshot.xip.push_back(xid);
  EXPECT_EQ(fault(seal.open("user:1", seal.seal("user:1", fact))), EntryFault::oversized);
}

TEST(FactSeal, ALargestUserFits) {
  User user = full_user();
  user.first_name = std::string(800, 'x');
  user.last_name = std::string(800, 'x');
  user.model_capability_settings = "{\"a\":\"" + std::string(16 * 1024 - 8, 'x') + "\"}";
  const FactSeal seal{kKey};
  EXPECT_TRUE(seal.open("user:42", seal.seal("user:42", fact_of(user))));
}

TEST(FactSeal, NamesHideTheKeysAndKeepDeploymentsApart) {
  const FactSeal seal{kKey};
  const std::string name = seal.name("email:zoe@example.test");
  EXPECT_THAT(name, ::testing::MatchesRegex("um:[0-9a-f]{8}:1:[0-9a-f]{32}"));
  EXPECT_THAT(name, ::testing::StartsWith(seal.prefix()));
  EXPECT_EQ(name, FactSeal{kKey}.name("email:zoe@example.test"));
  EXPECT_NE(name, seal.name("email:zoe@example.tesu"));
  EXPECT_NE(name, FactSeal{kOtherKey}.name("email:zoe@example.test"));
  EXPECT_NE(seal.prefix(), FactSeal{kOtherKey}.prefix());
}

TEST(FactSeal, TheSessionIdIsNotInTheEntry) {
  const Session session = full_session();
  const std::string entry = FactSeal{kKey}.seal(key_of(session), fact_of(session));
  EXPECT_EQ(entry.find(session.id.text()), std::string::npos);
}

// Instances of different versions share a server. If this fails and the change was meant,
// kFactSchema must change as well.
TEST(FactSeal, SchemaOneIsWhatItWas) {
  const FactSeal seal{kKey};
  const auto end_of = [&](const std::string& key, const Fact& fact) {
    const std::string entry = seal.seal(key, fact);
    std::string hex;
    for (const char c : entry.substr(entry.size() - 16))
      hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return hex;
  };
  EXPECT_EQ(end_of("user:42", fact_of(full_user())), "c4a2a6faf9307e31972eba4cb31703bb");
  EXPECT_EQ(end_of(key_of(full_session()), fact_of(full_session())),
            "09b8f51b20476642f92ef41674fd11ef");
  EXPECT_EQ(seal.name("user:42"), "um:2625985d:1:f31ae120297d4ce75f22cfdbbacc429e");
}

TEST(FactSeal, AShortKeyIsRefused) {
  EXPECT_THROW(FactSeal{Secret{"fifteen bytes.."}}, std::invalid_argument);
  EXPECT_THROW(FactSeal{Secret{}}, std::invalid_argument);
}

}  // namespace
}  // namespace um
