// SimSqlite: a SQLite file as far as it matters to the cache. One writer at a time; its commits are
// numbered, and those of other programs change only data_version.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "storage/snapshot.hpp"

namespace um::sim {

class SimSqlite {
 public:
  std::int64_t write(const std::string& key) { return rows_[key] = next_version_++; }
  Xid commit() { return next_xid_++; }
  std::int64_t foreign_write(const std::string& key) {
    ++data_version_;
    return write(key);
  }
  std::uint64_t data_version() const { return data_version_; }
  std::int64_t version(const std::string& key) const {
    const auto row = rows_.find(key);
    return row == rows_.end() ? 0 : row->second;
  }
  Stamp stamp() const { return {.tau = tau_, .snapshot = {.xmax = next_xid_}}; }
  void renew_tau() { ++tau_.low; }

 private:
  Tau tau_{.high = 1, .low = 1};
  Xid next_xid_ = 100;
  std::int64_t next_version_ = 1;
  std::uint64_t data_version_ = 0;
  std::map<std::string, std::int64_t> rows_;
};

}  // namespace um::sim
