// MetricsPage: the answer to GET /metrics, in the text format of Prometheus (version 0.0.4).
//
// The hot paths keep their own counters; the code that serves the page reads them, adds them here
// and renders. A page is made for one answer. Thread safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/counters.hpp"

namespace um {

class MetricsPage {
 public:
  // Family: the lines that share a name. Counters end in _total, times are in seconds, sizes in
  // bytes.
  struct Metric {
    std::string_view name;  // [a-zA-Z_:][a-zA-Z0-9_:]*
    std::string_view help;  // one sentence; the first one given for a name counts
  };
  using Labels = std::vector<std::pair<std::string, std::string>>;
  // Observations by size: counts[i] had at most upper_bounds[i] and more than the bound before; the
  // last element of counts, one more than there are bounds, had more than all of them.
  struct Histogram {
    std::span<const double> upper_bounds;  // ascending
    std::span<const std::uint64_t> counts;
    double sum = 0;
  };

  MetricsPage();
  ~MetricsPage();
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  // Throw std::logic_error if a name is not allowed, was given as another type, or the same name
  // and labels were given before: bugs of the program, which one test of the whole page shows.
  void counter(Metric metric, Labels labels, double value);
  void gauge(Metric metric, Labels labels, double value);
  void histogram(Metric metric, Labels labels, const Histogram& value);

  // The published numbers of a table (base/counters.hpp).
  void add(std::span<const PublishedNumber> numbers);
  template <template <class> class Numbers>
  void add(const Numbers<std::uint64_t>& stats, MetricLabel more = {}) {
    add(published(stats, more));
  }

  std::string text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace um
