#include "contract/postgres_setup.hpp"

#include "storage/postgres/storage.hpp"
#include "support/postgres_database.hpp"

namespace um::test {

namespace {

class PostgresUnderTest final : public StorageUnderTest {
 public:
  PostgresUnderTest() {
    auto opened = open_postgres({.url = Secret{database_.url()},
                                 .clock = &clock_,
                                 // A machine that is busy with other tests makes nothing fail.
                                 .look_up_timeout = std::chrono::seconds{60},
                                 .statement_timeout = std::chrono::seconds{60},
                                 .poll_interval = std::chrono::milliseconds{5}});
    if (!opened) throw std::runtime_error(opened.error().detail);
    storage_ = std::move(*opened);
  }

  Storage& storage() override { return *storage_; }
  ManualClock& clock() override { return clock_; }

  void rename_elsewhere(UserId id, std::string last_name) override {
    database_.session().run("UPDATE users SET last_name = $2 WHERE id = $1",
                            {id.value(), last_name});
  }

 private:
  TestDatabase database_;
  ManualClock clock_;
  std::unique_ptr<Storage> storage_;
};

}  // namespace

Backend postgres_backend() {
  return {"database", [] { return std::make_unique<PostgresUnderTest>(); }};
}

}  // namespace um::test
