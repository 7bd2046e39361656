// Counters: the numbers that a component counts. One declaration makes the counter and its metric.
//
// A component declares one class template over the type of its numbers, and below the members a
// table with the metric of each:
//
//   template <class Number>
//   struct PoolNumbers {
//     Number taken{};
//     Number refused{};
//     Number waiting{};
//     static constexpr auto table() {
//       using N = PoolNumbers;
//       return std::tuple{count_of(&N::taken, {"pool_takes_total", "Connections taken"}),
//                         count_of(&N::refused),  // not published
//                         level_of(&N::waiting, {"queue_length", "Calls that wait"},
//                                  {"queue", "pool"})};
//     }
//   };
//   PoolNumbers<Counter> counters_;                  // counted by any thread
//   using PoolStats = PoolNumbers<std::uint64_t>;    // read_counters(counters_)
//
// Components that count once per event loop or shard add their numbers up with add_counters(). The
// page of metrics renders a table with MetricsPage::add() and puts "user_manager_" before each
// name. A contract that must not know the component passes published() on.
//
// Thread safety: Counter: any thread; everything else: none.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace um {

// A number that any thread may change. Relaxed: a reader sees each number a little late, but never
// torn. A number that several busy threads change belongs into one Counter per thread.
class Counter {
 public:
  // The value before.
  std::uint64_t add(std::uint64_t more = 1) noexcept {
    return value_.fetch_add(more, std::memory_order_relaxed);
  }
  void remove() noexcept { value_.fetch_sub(1, std::memory_order_relaxed); }
  // For a number that one thread alone changes.
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }
  operator std::uint64_t() const noexcept { return value(); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct MetricText {
  std::string_view name{};  // without the prefix of the program; empty: not published
  std::string_view help{};  // one sentence; the first one given for a name counts
};
struct MetricLabel {
  std::string_view name{};  // empty: none
  std::string_view value{};
};

// Metrics that several components have a part of.
inline constexpr MetricText kQueueLength{"queue_length", "Calls that wait now"};
inline constexpr MetricText kQueueRefusals{"queue_refusals_total",
                                           "Calls refused because a queue was full"};

enum class MetricKind : std::uint8_t { counter, gauge };

// One number of a table.
template <class Member>
struct CounterRow {
  Member member;
  MetricKind kind;
  MetricText text;
  MetricLabel label;
};

// As many numbers as `values`, one for each value of the label; numbers with an empty value are not
// published.
template <class Member, std::size_t N>
struct CounterArrayRow {
  Member member;
  MetricKind kind;
  MetricText text;
  std::string_view label;
  std::array<std::string_view, N> values;
  MetricLabel common;  // of all of them
};

template <class Owner, class Number>
constexpr auto count_of(Number Owner::* member, MetricText text = {}, MetricLabel label = {}) {
  return CounterRow<Number Owner::*>{member, MetricKind::counter, text, label};
}
// A gauge: goes up and down.
template <class Owner, class Number>
constexpr auto level_of(Number Owner::* member, MetricText text = {}, MetricLabel label = {}) {
  return CounterRow<Number Owner::*>{member, MetricKind::gauge, text, label};
}
template <class Owner, class Number, std::size_t N>
constexpr auto counts_of(std::array<Number, N> Owner::* member, MetricText text,
                         std::string_view label, std::array<std::string_view, N> values,
                         MetricLabel common = {}) {
  return CounterArrayRow<std::array<Number, N> Owner::*, N>{
      member, MetricKind::counter, text, label, values, common};
}
template <class Owner, class Number, std::size_t N>
constexpr auto counts_of(std::array<Number, N> Owner::* member) {
  return counts_of(member, {}, {}, {});
}

template <template <class> class Numbers, class From, class To>
void add_counters(const Numbers<From>& from, Numbers<To>& to) {
  const auto add = [&](auto source, auto target) {
    auto& out = to.*(target.member);
    const auto& in = from.*(source.member);
    if constexpr (requires { in.size(); }) {
      for (std::size_t i = 0; i < in.size(); ++i) out[i] += in[i];
    } else {
      out += in;
    }
  };
  constexpr auto sources = Numbers<From>::table();
  constexpr auto targets = Numbers<To>::table();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (add(std::get<I>(sources), std::get<I>(targets)), ...);
  }(std::make_index_sequence<std::tuple_size_v<std::remove_const_t<decltype(sources)>>>{});
}

template <template <class> class Numbers>
Numbers<std::uint64_t> read_counters(const Numbers<Counter>& counters) {
  Numbers<std::uint64_t> stats;
  add_counters(counters, stats);
  return stats;
}

// A number of a table without the type of its component.
struct PublishedNumber {
  MetricText text{};
  MetricKind kind{};
  std::vector<MetricLabel> labels{};
  std::uint64_t value = 0;
};

// The published numbers of a table, each with `more` before its own labels.
template <template <class> class Numbers>
std::vector<PublishedNumber> published(const Numbers<std::uint64_t>& stats, MetricLabel more = {}) {
  std::vector<PublishedNumber> all;
  const auto add = [&](const auto& row, MetricLabel common, MetricLabel own, std::uint64_t value) {
    PublishedNumber& number = all.emplace_back();
    number = {.text = row.text, .kind = row.kind, .value = value};
    for (const MetricLabel& label : {more, common, own})
      if (!label.name.empty()) number.labels.push_back(label);
  };
  const auto add_row = [&](const auto& row) {
    if (row.text.name.empty()) return;
    const auto& numbers = stats.*(row.member);
    if constexpr (requires { row.values; }) {
      for (std::size_t i = 0; i < numbers.size(); ++i)
        if (!row.values[i].empty()) add(row, row.common, {row.label, row.values[i]}, numbers[i]);
    } else {
      add(row, {}, row.label, numbers);
    }
  };
  std::apply([&](const auto&... rows) { (add_row(rows), ...); }, Numbers<std::uint64_t>::table());
  return all;
}

}  // namespace um
