#include "cache/l1_store.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace um {
namespace {

const KeyHash kHash{{.k0 = 1, .k1 = 2}};

L1Value id(std::int64_t value) {
  return *UserId::from(value);
}

class L1StoreTest : public ::testing::Test {
 protected:
  void put(const std::string& key, L1Value value) { store.insert(kHash.hashed(key), value); }
  void put(const std::string& key) { put(key, id(1)); }
  bool has(const std::string& key) { return store.find(kHash.hashed(key)) != nullptr; }
  std::int64_t value(const std::string& key) {
    const L1Value* found = store.find(kHash.hashed(key));
    return found != nullptr ? std::get<UserId>(*found).value() : 0;
  }
  static std::size_t cost(std::string_view key) { return L1Store::charge_bytes(key, id(1)); }
  static constexpr std::size_t kTable = heap_cost_bytes(8 * sizeof(void*));

  // Room for four entries with keys of one character, and their table.
  L1Store store{4 * cost("a") + kTable};
};

TEST_F(L1StoreTest, ReturnsWhatWasInserted) {
  put("a", id(7));
  EXPECT_EQ(value("a"), 7);
  EXPECT_FALSE(has("b"));
}

TEST_F(L1StoreTest, ANewValueReplacesTheOldOne) {
  put("a", id(7));
  put("a", id(8));
  EXPECT_EQ(value("a"), 8);
  EXPECT_EQ(store.entries(), 1U);
  EXPECT_EQ(store.bytes(), cost("a") + kTable);
}

TEST_F(L1StoreTest, AnErasedKeyIsGone) {
  put("a");
  EXPECT_TRUE(store.erase(kHash.hashed("a")));
  EXPECT_FALSE(has("a"));
  EXPECT_FALSE(store.erase(kHash.hashed("a")));
  EXPECT_EQ(store.entries(), 0U);
}

TEST_F(L1StoreTest, WithoutHitsTheOldestLeaves) {
  for (const char* key : {"a", "b", "c", "d", "e"}) put(key);
  EXPECT_FALSE(has("a"));
  EXPECT_TRUE(has("b") && has("c") && has("d") && has("e"));
  EXPECT_EQ(store.evictions(), 1U);
}

// The example of the paper's section 3: a used entry keeps its place in the queue.
TEST_F(L1StoreTest, AnEntryThatWasAskedForIsForgivenOnce) {
  for (const char* key : {"a", "b", "c", "d"}) put(key);
  EXPECT_TRUE(has("a"));
  put("e");  // the hand clears the visited bit of a and evicts b
  put("f");  // the hand continues at c
  put("g");  // d
  put("h");  // e; the hand did not return to a, which is older
  std::set<std::string> left;
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h"})
    if (store.find(kHash.hashed(key)) != nullptr) left.insert(key);
  EXPECT_EQ(left, (std::set<std::string>{"a", "f", "g", "h"}));
}

TEST_F(L1StoreTest, IfAllWereAskedForTheHandComesRoundAndTakesTheOldest) {
  for (const char* key : {"a", "b", "c", "d"}) put(key);
  for (const char* key : {"a", "b", "c", "d"}) EXPECT_TRUE(has(key));
  put("e");
  EXPECT_FALSE(has("a"));
  EXPECT_TRUE(has("e"));
}

TEST_F(L1StoreTest, ErasingTheEntryUnderTheHandMovesTheHand) {
  for (const char* key : {"a", "b", "c", "d"}) put(key);
  put("e");  // evicts a; the hand stands at b
  store.erase(kHash.hashed("b"));
  put("f");
  put("g");  // evicts c
  EXPECT_FALSE(has("c"));
  EXPECT_TRUE(has("d"));
}

TEST_F(L1StoreTest, AValueLargerThanTheStoreIsNotKept) {
  put("a");
  put(std::string(1000, 'x'));
  EXPECT_EQ(store.entries(), 1U);
  EXPECT_TRUE(has("a"));
}

TEST_F(L1StoreTest, AKeyWhoseNewValueIsTooLargeIsForgotten) {
  put("a");
  auto session = std::make_shared<Session>(Session{
      .id = SessionId::random(), .user_id = *UserId::from(1), .user_agent = std::string(900, 'x')});
  put("a", SessionRef{session});
  EXPECT_FALSE(has("a"));
}

TEST_F(L1StoreTest, AStoreWithoutCapacityKeepsNothing) {
  L1Store none{0};
  none.insert(kHash.hashed("a"), id(1));
  EXPECT_EQ(none.find(kHash.hashed("a")), nullptr);
  EXPECT_EQ(none.bytes(), 0U);
}

TEST_F(L1StoreTest, SwappingEmptiesWithoutFreeing) {
  auto session =
      std::make_shared<Session>(Session{.id = SessionId::random(), .user_id = *UserId::from(1)});
  L1Store big{1 << 20};
  big.insert(kHash.hashed("s"), SessionRef{session});
  L1Store fresh{1 << 20};
  big.swap(fresh);
  EXPECT_EQ(big.find(kHash.hashed("s")), nullptr);
  EXPECT_EQ(session.use_count(), 2);
  fresh.clear();
  EXPECT_EQ(session.use_count(), 1);
}

// Compared with a simple model: no wrong value, no byte above the bound, and no entry lost without
// an eviction.
TEST(L1StoreAtRandom, AgreesWithAModel) {
  std::mt19937 random{42};
  L1Store store{12'000};
  std::unordered_map<std::string, std::int64_t> model;
  for (int step = 1; step < 50'000; ++step) {
    const std::string key = "user:" + std::to_string(random() % 400);
    const auto before = store.evictions();
    switch (random() % 4) {
      case 0:
        store.erase(kHash.hashed(key));
        model.erase(key);
        break;
      case 1:
      case 2: {
        const L1Value* found = store.find(kHash.hashed(key));
        if (found != nullptr) {
          ASSERT_EQ(std::get<UserId>(*found).value(), model.at(key));
        }
        break;
      }
      default:
        store.insert(kHash.hashed(key), id(step));
        model[key] = step;
        ASSERT_NE(store.find(kHash.hashed(key)), nullptr);
    }
    ASSERT_LE(store.bytes(), store.capacity_bytes());
    if (before == 0 && store.evictions() == 0) {
      ASSERT_EQ(store.entries(), model.size());
    }
  }
  EXPECT_GT(store.evictions(), 1000U);
  store.clear();
  EXPECT_EQ(store.bytes(), 0U);
}

}  // namespace
}  // namespace um
