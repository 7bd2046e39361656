// History: what happened to some keys as seen from outside, and whether that was allowed.
//
// Every write gives its key a new version, and versions of a key are in the order of the writes,
// because the database hands them out under the row's lock. That makes checking linear (after
// sorting), where linearizability in general is not (Gibbons and Korach, "Testing Shared Memories",
// 1997: with the order of the writes known, the rest is easy). A read must return
//   - at least the newest version that was known before it began, and
//   - at most the newest version whose write began before it ended, and only one that was
//     committed.
// A version is known
//   - to everybody as soon as its write was acknowledged or any read that returned it ended, if the
//     write promises to be strict; T after it became visible if it is only bounded;
//   - on the instance that wrote it, as soon as it was acknowledged, if the write promises that.
//
// Times are those of one perfect clock that never gives the same time twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace um::sim {

using Time = std::int64_t;
using Version = std::int64_t;  // 0: what was there at the beginning

enum class Promise { strict, bounded_but_own_at_once, bounded };

struct Write {
  std::string key;
  Version version;
  Time began;
  Time visible;               // committed
  std::optional<Time> acked;  // nullopt: nobody was told
  int instance = 0;
  Promise promise = Promise::strict;
};

struct Read {
  std::string key;
  Version version;
  Time began;
  Time ended;
  int instance = 0;
};

class History {
 public:
  explicit History(Time staleness_bound) : staleness_bound_{staleness_bound} {}
  // To be called when the write commits; the result is for acknowledge().
  std::size_t add(Write write) {
    writes_.push_back(std::move(write));
    return writes_.size() - 1;
  }
  void acknowledge(std::size_t write, Time at) { writes_.at(write).acked = at; }
  void add(Read read) { reads_.push_back(std::move(read)); }
  std::size_t reads() const { return reads_.size(); }
  std::size_t writes() const { return writes_.size(); }

  // One sentence per forbidden read; empty: all is well.
  std::vector<std::string> violations() const;

 private:
  Time staleness_bound_;
  std::vector<Write> writes_;
  std::vector<Read> reads_;
};

}  // namespace um::sim
