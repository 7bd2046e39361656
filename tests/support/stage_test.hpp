// StageTest: a suite whose tests share one server. They must not get in each other's way: each
// makes its own people. Derived may hide options() to start the server otherwise.
#pragma once

#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>

#include "support/scenario.hpp"

namespace um::e2e {

template <class Derived>
class StageTest : public ::testing::Test {
 public:
  // A failure here would make ctest count every test as skipped: it is kept for the tests to throw.
  static void SetUpTestSuite() {
    try {
      stage_ = std::make_unique<Stage>(Derived::options());
    } catch (const std::exception& error) {
      why_not_ = error.what();
    }
  }
  // Also the check that every suite ends with a clean shutdown.
  static void TearDownTestSuite() {
    if (stage_ && stage_->server().process().running()) {
      EXPECT_EQ(stage_->server().stop().code, 0) << stage_->server().process().all();
    }
    stage_.reset();
  }
  static ServeOptions options() { return {}; }

 protected:
  static Stage& stage() {
    if (!stage_) throw std::runtime_error("the server of this suite did not start: " + why_not_);
    return *stage_;
  }

 private:
  static inline std::unique_ptr<Stage> stage_;
  static inline std::string why_not_;
};

}  // namespace um::e2e
