// StageTest: a suite of tests that share one server. Each test makes its own users, so that tests
// do not affect each other. Derived may hide options() to change how the server starts.
#pragma once

#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>

#include "support/scenario.hpp"

namespace um::e2e {

template <class Derived>
class StageTest : public ::testing::Test {
 public:
  // After a failure here ctest would count every test as skipped, so stage() throws the reason
  // instead.
  static void SetUpTestSuite() {
    try {
      stage_ = std::make_unique<Stage>(Derived::options());
    } catch (const std::exception& error) {
      why_not_ = error.what();
    }
  }
  // Checks that every suite ends with a clean shutdown.
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
