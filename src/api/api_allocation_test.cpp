// A hit does not allocate, once the response's buffers have grown. A program of its own, because it
// replaces the global operator new to count.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "support/api_stage.hpp"

namespace {
// Constant-initialized, because operator new is called before everything else.
constinit std::atomic<bool> counting{false};        // NOLINT
constinit std::atomic<std::size_t> allocations{0};  // NOLINT

void* counted(std::size_t size) {
  if (counting.load()) allocations.fetch_add(1);
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;  // NOLINT
  throw std::bad_alloc{};
}
}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}  // NOLINT
void operator delete[](void* memory) noexcept {
  std::free(memory);
}  // NOLINT
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}  // NOLINT
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}  // NOLINT

namespace um::api::test {
namespace {

// Keeps every user after its first look-up in the store below, as a cache does.
class PreparedUsers final : public UserStore {
 public:
  explicit PreparedUsers(UserStore& below) : below_{below} {}

  std::optional<UserReading> find_now(UserId id, const ReadOptions& options,
                                      BootTime now) override {
    UserRef& prepared = records_[id];
    if (!prepared) prepared = below_.find_now(id, options, now)->value;
    return UserReading{.value = prepared, .source = Source::l1};
  }

  using Totals = Task<Result<UsageTotals>>;
  using Found = Task<Result<std::optional<Credentials>>>;
  using Users = Task<Result<std::vector<UserRef>>>;
  Task<Result<UserReading>> find(UserId, ReadOptions) override { co_return none(); }
  Task<Result<UserReading>> find(Email, ReadOptions) override { co_return none(); }
  Users list(Page, Deadline) override { co_return none(); }
  Users search(std::string, Page, Deadline) override { co_return none(); }
  Task<Result<std::int64_t>> count(std::string, Deadline) override { co_return none(); }
  Task<Result<bool>> has_admin(Deadline) override { co_return none(); }
  Task<Result<UserRef>> insert(NewUser, Deadline) override { co_return none(); }
  Task<Result<std::vector<Result<UserId>>>> insert_many(InsertMany, Deadline) override {
    co_return none();
  }
  Task<Result<UserRef>> update(UpdateUser, Deadline) override { co_return none(); }
  Task<Result<void>> remove(RemoveUser, Deadline) override { co_return none(); }
  Totals add_usage(UsageRecord, Deadline) override { co_return none(); }
  Found credentials(Email, Deadline) override { co_return none(); }
  Found credentials(UserId, Deadline) override { co_return none(); }
  Task<Result<void>> rehash(Rehash, Deadline) override { co_return none(); }
  Task<Result<void>> end_sessions(UserId, Deadline) override { co_return none(); }
  Task<Result<void>> invalidate(UserId, Deadline) override { co_return none(); }

 private:
  static std::unexpected<Error> none() { return fail(ErrorCode::internal, "not prepared"); }
  UserStore& below_;
  std::map<UserId, UserRef> records_;
};

class ApiAllocations : public ::testing::Test {
 protected:
  // The allocations of one answer after warming up. The test fails if answer_now() has no answer.
  std::size_t allocations_of(const FakeRequest& request) {
    http::Response response;
    std::size_t counted_now = 0;
    for (int i = 0; i < 5; ++i) {
      response.clear();
      allocations = 0;
      counting = true;
      const bool at_once = api_.answer_now(request, response);
      counting = false;
      counted_now = allocations.load();
      EXPECT_TRUE(at_once);
    }
    last_status_ = response.status;
    return counted_now;
  }
  FakeRequest request(std::string_view line, Headers more = {}) {
    more.lines.emplace_back("Authorization", "Bearer " + stage_.token_of("ada"));
    stage_.cache(true);
    return FakeRequest{line, std::move(more), "", stage_.clock.now()};
  }

  ApiStage stage_;
  PreparedUsers prepared_{stage_.users};
  Users use_cases_{{.store = prepared_,
                    .hasher = stage_.hasher,
                    .limiter = stage_.limiter,
                    .clock = stage_.clock},
                   {}};
  SignIn sign_in_{{.users = prepared_,
                   .sessions = stage_.sessions,
                   .hasher = stage_.hasher,
                   .limiter = stage_.limiter,
                   .tokens = stage_.tokens,
                   .clock = stage_.clock},
                  {}};
  Api api_{
      {.users = use_cases_, .sign_in = sign_in_, .process = stage_.process, .clock = stage_.clock},
      {}};
  unsigned last_status_ = 0;
};

TEST_F(ApiAllocations, TheCounterCounts) {
  counting = true;
  allocations = 0;
  ::operator delete(::operator new(8));
  counting = false;
  EXPECT_GE(allocations.load(), 1U);
}

TEST_F(ApiAllocations, AHitByIdDoesNotAllocate) {
  EXPECT_EQ(allocations_of(request("GET /user/1")), 0U);
  EXPECT_EQ(last_status_, 200U);
}

TEST_F(ApiAllocations, MeAndNotModifiedDoNotAllocate) {
  EXPECT_EQ(allocations_of(request("GET /auth/me")), 0U);
  EXPECT_EQ(allocations_of(request("GET /user/1", {{{"If-None-Match", "\"a\", W/\"b\""}}})), 0U);
  EXPECT_EQ(last_status_, 200U);
  EXPECT_EQ(
      allocations_of(request("GET /user/1", {{{"If-None-Match", "*"}, {"X-Request-Id", "abc"}}})),
      0U);
  EXPECT_EQ(last_status_, 304U);
}

}  // namespace
}  // namespace um::api::test
