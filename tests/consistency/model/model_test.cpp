// Every state of the protocol's model keeps the promises, and the model notices each broken rule.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "consistency/model/protocol.hpp"
#include "consistency/model/scenario.hpp"
#include "support/effort.hpp"

namespace um::model {
namespace {

// Without UM_THOROUGH a part of each world.
const bool kWhole = test::is_thorough();
const std::size_t kMostStates = kWhole ? 12'000'000 : 100'000;

using Result = Exploration<State, Label>;

Result explore(Protocol& protocol) {
  return Explorer<Protocol, State, Label>{protocol, kMostStates}.run();
}

std::string text(const Result& result) {
  std::string lines;
  for (const auto& [label, state] : result.trace) {
    lines += "  " + std::string{name(label.step)} + " " + std::to_string(label.who) + "\n      " +
             describe(state) + "\n";
  }
  return lines;
}

std::string figures(const Result& result) {
  return std::to_string(result.states) + " states, " + std::to_string(result.transitions) +
         " transitions, depth " + std::to_string(result.depth);
}

std::string camel(std::string_view words) {
  std::string text;
  bool upper = true;
  for (const char c : words) {
    if (c == ' ') {
      upper = true;
    } else {
      text += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      upper = false;
    }
  }
  return text;
}

class ModelScenario : public ::testing::TestWithParam<Scenario> {};

TEST_P(ModelScenario, KeepsThePromisesInEveryState) {
  Protocol protocol{GetParam()};
  const Result result = explore(protocol);
  std::cout << GetParam().about << ": " << figures(result) << "\n";
  EXPECT_TRUE(result.complete || result.violated || !kWhole) << "too many states";
  EXPECT_FALSE(result.violated) << "PROMISE BROKEN after " << result.trace.size() << " steps:\n"
                                << text(result);
  EXPECT_EQ(protocol.count(Step::out_of_ids), 0U);
  for (const Step step : GetParam().must_happen) {
    EXPECT_TRUE(protocol.count(step) != 0 || !(kWhole || result.complete))
        << "it never happened: " << name(step);
  }
}

INSTANTIATE_TEST_SUITE_P(Model, ModelScenario, ::testing::ValuesIn(scenarios()),
                         [](const auto& one) { return std::string{one.param.name}; });

class ModelMutation : public ::testing::TestWithParam<MutationCase> {};

TEST_P(ModelMutation, IsFound) {
  const auto& [mutation, where] = GetParam();
  Protocol protocol{scenario(where), mutation};
  const Result result = explore(protocol);
  EXPECT_TRUE(result.violated || !(kWhole || result.complete))
      << name(mutation) << " was not found in " << where << ": " << figures(result);
  std::cout << name(mutation) << ": a counterexample of " << result.trace.size() << " steps in "
            << where << ", " << figures(result) << "\n";
  EXPECT_TRUE(!result.violated || Protocol::violated(result.trace.back().second));
  if (std::getenv("UM_MODEL_TRACE") != nullptr) {
    std::cout << text(result);
  }
}

INSTANTIATE_TEST_SUITE_P(Model, ModelMutation, ::testing::ValuesIn(mutations()),
                         [](const auto& one) { return camel(name(one.param.mutation)); });

TEST(ModelTables, EveryMutationIsLookedFor) {
  for (std::size_t i = 1; i < static_cast<std::size_t>(Mutation::count); ++i) {
    const auto mutation = static_cast<Mutation>(i);
    EXPECT_FALSE(name(mutation).empty());
    EXPECT_EQ(std::ranges::count(mutations(), mutation, &MutationCase::mutation), 1)
        << name(mutation);
  }
}

TEST(ModelTables, EveryStepHasAName) {
  for (std::size_t i = 0; i < kSteps; ++i) {
    EXPECT_FALSE(name(static_cast<Step>(i)).empty());
  }
}

}  // namespace

void PrintTo(const Scenario& one, std::ostream* out) {
  *out << one.name;
}

void PrintTo(const MutationCase& one, std::ostream* out) {
  *out << name(one.mutation);
}

}  // namespace um::model
