// An entry is charged with its real cost: the sizes of all allocations of this program, as the
// allocator reports them, are compared with the bytes that the store reports.
#include <cstdlib>
#include <malloc.h>
#include <new>

#include <gtest/gtest.h>

#include "cache/l1_store.hpp"

namespace {

std::size_t live_bytes = 0;  // this test has one thread
constexpr std::size_t kChunkHeader = 8;

}  // namespace

void* operator new(std::size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc{};
  live_bytes += malloc_usable_size(memory) + kChunkHeader;
  return memory;
}
void operator delete(void* memory) noexcept {
  if (memory != nullptr) live_bytes -= malloc_usable_size(memory) + kChunkHeader;
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace um {
namespace {

const KeyHash kHash{{.k0 = 1, .k1 = 2}};

void expect_charged_what_it_costs(L1Store& store, std::size_t before) {
  const auto real = static_cast<double>(live_bytes - before);
  const auto charged = static_cast<double>(store.bytes());
  // Sometimes the allocator returns 16 bytes more, because the rest of a chunk would be too small.
  EXPECT_NEAR(charged / real, 1.0, 0.01);
}

UserRef user(std::int64_t number, std::size_t settings_bytes) {
  const std::string id = std::to_string(number);
  User user{.id = *UserId::from(number), .email = *Email::parse("Somebody." + id + "@example.org")};
  user.first_name = "Wilhelmina";
  user.last_name = "Featherstonehaugh-" + id;
  if (settings_bytes > 0)
    user.model_capability_settings = "{\"a\":\"" + std::string(settings_bytes, 'x') + "\"}";
  return make_record(std::move(user));
}

class L1Cost : public ::testing::Test {
 protected:
  static constexpr int kEntries = 1024;
  template <class Make>
  void fill(Make make) {
    const std::size_t before = live_bytes;
    for (int i = 1; i <= kEntries; ++i) {
      auto [key, value] = make(i);
      store.insert(kHash.hashed(key), std::move(value));
    }
    ASSERT_EQ(store.entries(), static_cast<std::size_t>(kEntries));
    const auto charged = store.bytes();
    expect_charged_what_it_costs(store, before);
    store.clear();
    EXPECT_EQ(live_bytes, before);
    RecordProperty("bytes_per_entry", static_cast<int>(charged / kEntries));
  }
  L1Store store{64 << 20};
};

using Pair = std::pair<std::string, L1Value>;

TEST_F(L1Cost, OfAUser) {
  fill([](int i) { return Pair{"user:" + std::to_string(i), user(i, 0)}; });
}

TEST_F(L1Cost, OfAUserWithSettings) {
  fill([](int i) { return Pair{"user:" + std::to_string(i), user(i, 3000)}; });
}

TEST_F(L1Cost, OfAnAddress) {
  fill([](int i) {
    return Pair{"email:somebody." + std::to_string(i) + "@example.org", *UserId::from(i)};
  });
}

TEST_F(L1Cost, OfAnAbsentId) {
  fill([](int i) { return Pair{"user:" + std::to_string(i), Absent{}}; });
}

TEST_F(L1Cost, OfASession) {
  fill([](int i) {
    const auto id = SessionId::random();
    return Pair{"session:" + std::string{id.text()},
                SessionRef{std::make_shared<Session>(
                    Session{.id = id,
                            .user_id = *UserId::from(i),
                            .address = "2001:db8::1:2:3:4",
                            .user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"})}};
  });
}

}  // namespace
}  // namespace um
