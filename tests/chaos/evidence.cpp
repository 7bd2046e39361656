#include "chaos/evidence.hpp"

#include <algorithm>

#include "chaos/fleet.hpp"

namespace um::e2e {
namespace {

using Kind = test::Operation::Kind;

void judge(const test::History& history, std::vector<std::string>& violations) {
  std::ranges::move(history.violations(), std::back_inserter(violations));
}

// The stretch of history between two losses.
struct Era {
  const Loss* before = nullptr;
  const Loss* after = nullptr;

  bool has(const test::Operation& read) const {
    return (before == nullptr || read.begin > before->to + kT) &&
           (after == nullptr || read.end < after->from);
  }

  // How readers of this era see the write; nullopt: not at all.
  std::optional<test::Operation> seen_here(test::Operation write) const {
    if (after != nullptr && write.begin >= after->from) return std::nullopt;
    if (after != nullptr && write.end >= after->from) write.end = test::kNever;
    if (before == nullptr || write.begin > before->to) return write;
    if (write.end < before->from) return std::nullopt;
    if (write.end <= before->to && before->within == Loss::Within::lost) return std::nullopt;
    write.end = test::kNever;
    return write;
  }
};

std::chrono::nanoseconds longest_gap(std::vector<BootTime> answers, Span span) {
  answers.push_back(span.from);
  answers.push_back(span.to);
  std::ranges::sort(answers);
  std::chrono::nanoseconds longest{0};
  for (std::size_t i = 1; i < answers.size(); ++i) {
    if (answers[i] > span.from && answers[i - 1] < span.to)
      longest = std::max<std::chrono::nanoseconds>(longest, answers[i] - answers[i - 1]);
  }
  return longest;
}

}  // namespace

std::vector<std::string> Evidence::violations() const {
  std::vector<std::string> violations;
  for (const auto& [key, seen] : seen_) {
    if (lasting_.contains(key)) {
      judge_lasting(key, seen, violations);
    } else {
      judge_passing(seen, violations);
    }
  }
  return violations;
}

void Evidence::judge_lasting(const std::string& key, const Register& seen,
                             std::vector<std::string>& violations) const {
  for (std::size_t i = 0; i <= losses_.size(); ++i) {
    const Era era{.before = i == 0 ? nullptr : &losses_[i - 1],
                  .after = i == losses_.size() ? nullptr : &losses_[i]};
    const auto initial = era.before == nullptr ? lasting_.at(key) : era.before->survived.at(key);
    test::History history{{.initial = initial, .staleness = kT}};
    for (const auto& [operation, hit] : seen) {
      if (operation.kind == Kind::read) {
        if (era.has(operation)) history.add(operation);
      } else if (const auto write = era.seen_here(operation)) {
        history.add(*write);
      }
    }
    judge(history, violations);
  }
}

void Evidence::judge_passing(const Register& seen, std::vector<std::string>& violations) const {
  const auto begin = [](const Seen& one) { return one.operation.begin; };
  const auto born = begin(*std::ranges::min_element(seen, {}, begin));
  test::History history{{.staleness = kT}};
  for (auto [operation, hit] : seen) {
    const auto overtaken = [&](const Span& span) {
      return born <= span.to + kT && operation.end >= span.from;
    };
    if (std::ranges::any_of(disregarded_, overtaken)) {
      if (operation.kind == Kind::read) continue;
      operation.end = test::kNever;
    }
    history.add(operation);
  }
  judge(history, violations);
}

std::size_t Evidence::hits_during_writes() const {
  std::size_t hits = 0;
  for (const auto& [key, seen] : seen_) {
    std::vector<Span> writes;
    for (const auto& [operation, hit] : seen) {
      if (operation.kind == Kind::write && operation.end != test::kNever)
        writes.push_back({.from = operation.begin, .to = operation.end});
    }
    // One writer makes the writes of a register, one after the other.
    std::ranges::sort(writes, {}, &Span::from);
    for (const auto& [operation, hit] : seen) {
      if (!hit) continue;
      const auto next = std::ranges::upper_bound(writes, operation.begin, {}, &Span::from);
      if (next != writes.begin() && operation.end < std::prev(next)->to) ++hits;
    }
  }
  return hits;
}

std::size_t Evidence::count(Kind kind) const {
  return static_cast<std::size_t>(std::ranges::count(answers_, kind, &Answer::kind));
}

std::size_t Evidence::hits() const {
  std::size_t hits = 0;
  for (const auto& [key, seen] : seen_)
    hits += static_cast<std::size_t>(std::ranges::count(seen, true, &Seen::hit));
  return hits;
}

Silence Evidence::silence(Kind kind, std::size_t instances, Span span) const {
  std::vector<std::vector<BootTime>> at(instances);
  std::vector<BootTime> at_any;
  for (const auto& answer : answers_) {
    if (answer.kind != kind) continue;
    at[answer.instance].push_back(answer.at);
    at_any.push_back(answer.at);
  }
  Silence silence{.everywhere = longest_gap(std::move(at_any), span)};
  for (auto& one : at) silence.anywhere = std::max(silence.anywhere, longest_gap(one, span));
  return silence;
}

}  // namespace um::e2e
