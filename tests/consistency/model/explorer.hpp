// A breadth-first search over all states of a model.
//
// State is trivially copyable and has no padding, so that its bytes are its identity. The visited
// set keeps a fingerprint of 128 bits for each state; two states with one fingerprint would be
// taken for one (with 10^7 states the probability is below 10^-24). The search is deterministic,
// and the first violation that it finds is as short as any.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace um::model {

struct Fingerprint {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Fingerprint&) const = default;
};

// Two lanes of multiply and fold over the words of the state.
template <class State>
Fingerprint fingerprint(const State& state) {
  static_assert(std::has_unique_object_representations_v<State>);
  constexpr std::size_t kWords = (sizeof(State) + 7) / 8;
  std::array<std::uint64_t, kWords> words{};
  std::memcpy(words.data(), &state, sizeof(State));
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  };
  Fingerprint print{.low = 0x9e3779b97f4a7c15U, .high = 0xc2b2ae3d27d4eb4fU};
  for (const std::uint64_t word : words) {
    print.low = fold(print.low ^ word, 0xff51afd7ed558ccdU) + 0x165667b19e3779f9U;
    print.high = fold(print.high + word, 0xd6e8feb86659fd93U) ^ 0x27d4eb2f165667c5U;
  }
  print.low = fold(print.low ^ print.high, 0xc4ceb9fe1a85ec53U);
  print.high = fold(print.high ^ 0xa0761d6478bd642fU, print.low | 1U);
  return print;
}

// The steps that are possible in one state, and where they lead.
template <class State, class Label>
class Successors {
 public:
  // A copy of the state for a step to change; valid until the next call.
  State& add(const State& from, Label label) { return steps_.emplace_back(from, label).first; }
  void clear() { steps_.clear(); }
  const std::vector<std::pair<State, Label>>& all() const { return steps_; }

 private:
  std::vector<std::pair<State, Label>> steps_;
};

template <class State, class Label>
struct Exploration {
  std::size_t states = 0;
  std::size_t transitions = 0;
  std::size_t depth = 0;
  bool complete = false;  // every reachable state was visited
  bool violated = false;
  std::vector<std::pair<Label, State>> trace;  // from the initial state to the violation
};

// Model: initial(), successors(state, Successors&), violated(state), taken(label): one call for
// each transition.
template <class Model, class State, class Label>
class Explorer {
 public:
  Explorer(Model& model, std::size_t most_states) : model_{model}, most_states_{most_states} {
    slots_.resize(std::size_t{1} << 16U);
  }

  Exploration<State, Label> run() {
    std::vector<State> level{model_.initial()};
    std::vector<State> next;
    add(level.front(), 0);
    std::size_t first = 0;  // the number of the first state of this level
    while (!level.empty()) {
      next.clear();
      for (std::size_t i = 0; i < level.size(); ++i) {
        steps_.clear();
        model_.successors(level[i], steps_);
        for (const auto& [state, label] : steps_.all()) {
          ++result_.transitions;
          model_.taken(label);
          if (std::memcmp(&state, &level[i], sizeof(State)) == 0 ||
              !add(state, static_cast<std::uint32_t>(first + i))) {
            continue;
          }
          if (model_.violated(state)) {
            ++result_.depth;
            finish();
            result_.violated = true;
            find_trace();
            return std::move(result_);
          }
          next.push_back(state);
        }
        if (prints_.size() > most_states_) {
          finish();
          return std::move(result_);
        }
      }
      first += level.size();
      result_.depth += next.empty() ? 0U : 1U;
      level.swap(next);
    }
    finish();
    result_.complete = true;
    return std::move(result_);
  }

 private:
  bool add(const State& state, std::uint32_t parent) {
    const Fingerprint print = fingerprint(state);
    std::size_t slot = print.low & (slots_.size() - 1);
    while (slots_[slot] != 0) {
      if (prints_[slots_[slot] - 1] == print) {
        return false;
      }
      slot = (slot + 1) & (slots_.size() - 1);
    }
    prints_.push_back(print);
    parents_.push_back(parent);
    slots_[slot] = static_cast<std::uint32_t>(prints_.size());
    if (prints_.size() * 2 > slots_.size()) {
      grow();
    }
    return true;
  }

  void grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::size_t i = 0; i < prints_.size(); ++i) {
      std::size_t slot = prints_[i].low & (slots_.size() - 1);
      while (slots_[slot] != 0) {
        slot = (slot + 1) & (slots_.size() - 1);
      }
      slots_[slot] = static_cast<std::uint32_t>(i + 1);
    }
  }

  void finish() { result_.states = prints_.size(); }

  // Walks from the violation, the newest state, to the root, and then replays the steps.
  void find_trace() {
    std::vector<std::size_t> path;
    for (std::size_t i = prints_.size() - 1; i != 0; i = parents_[i]) {
      path.push_back(i);
    }
    std::reverse(path.begin(), path.end());
    State state = model_.initial();
    for (const std::size_t number : path) {
      steps_.clear();
      model_.successors(state, steps_);
      for (const auto& [next, label] : steps_.all()) {
        if (fingerprint(next) == prints_[number]) {
          result_.trace.emplace_back(label, next);
          break;
        }
      }
      state = result_.trace.back().second;
    }
  }

  Model& model_;
  std::size_t most_states_;
  Exploration<State, Label> result_;
  Successors<State, Label> steps_;
  std::vector<Fingerprint> prints_;  // by the number of the state, in the order of discovery
  std::vector<std::uint32_t> parents_;
  std::vector<std::uint32_t> slots_;  // number + 1, by fingerprint
};

}  // namespace um::model
