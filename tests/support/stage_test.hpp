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
  static void SetUpTestSuite() { stage_ = std::make_unique<Stage>(Derived::options()); }
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
    if (!stage_) throw std::runtime_error("the server of this suite did not start");
    return *stage_;
  }

 private:
  static inline std::unique_ptr<Stage> stage_;
};

}  // namespace um::e2e
