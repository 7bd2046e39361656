// Report: counts what the monitor finds, and tells it: a line for each broken read, one for each
// interval, one at the end, and a page of metrics. With `json` each line is an object.
//
// Thread safety: metrics() from any thread, the rest from the owner's.
#pragma once

#include <iosfwd>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "monitor/tally.hpp"
#include "monitor/watched_key.hpp"

namespace um {

class Report {
 public:
  // Lines about broken reads and errors in one interval; further ones are only counted.
  static constexpr std::uint64_t kMostLines = 10;

  struct Surroundings {
    const Clock& clock;  // these outlive the report
    std::ostream& out;
    bool json = false;
  };
  Report(Surroundings around, std::vector<std::string> instances);

  // `took`: the time of the read.
  void read(std::size_t instance, std::chrono::nanoseconds took);
  void broken(std::size_t instance, const std::string& key, const Verdict& verdict);
  void excused(std::size_t instance);
  void written(std::size_t instance);
  void error(std::size_t instance, const std::string& reason);

  // Tells the interval that ends now, and begins the next one.
  void end_interval();
  void end();

  InstanceTally total() const { return sum_of(total_); }
  std::string metrics() const;

 private:
  enum class Span { interval, summary };
  template <class Change>
  void count(std::size_t instance, Change change);
  void line(std::string_view text);
  std::string now_text() const;
  std::string text_of(Span span, const Tally& tally, std::chrono::nanoseconds took) const;
  std::string json_of(Span span, const Tally& tally, std::chrono::nanoseconds took) const;
  void tell(Span span, const Tally& tally, BootTime since);

  const Surroundings around_;
  const std::vector<std::string> instances_;
  const BootTime began_;
  BootTime interval_began_;
  std::uint64_t intervals_ = 0;  // that have ended
  std::uint64_t lines_ = 0;      // of this interval
  std::uint64_t untold_ = 0;

  mutable std::mutex mutex_;
  Tally total_;                // guarded by mutex_ against metrics()
  std::vector<bool> reached_;  // the same: the newest call had a usable answer
  Tally interval_;
  std::vector<std::string> last_errors_;  // of this interval
};

}  // namespace um
