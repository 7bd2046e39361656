// SimRedis: a store of facts that loses, delays, reorders and rolls back. It returns any fact that
// was ever stored under the key, most often the last one. Delays and losses are the callers'.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cache/l2_store.hpp"

namespace um::sim {

class SimRedis {
 public:
  void put(const std::string& key, Fact fact) { facts_[key].push_back(std::move(fact)); }
  // `choice`: a random number.
  std::optional<Fact> get(const std::string& key, std::uint64_t choice) const {
    const auto found = facts_.find(key);
    if (found == facts_.end() || choice % 16 == 0) return std::nullopt;
    const auto& facts = found->second;
    if (choice % 4 != 0) return facts.back();
    return facts[(choice >> 8) % facts.size()];
  }

 private:
  std::map<std::string, std::vector<Fact>> facts_;
};

}  // namespace um::sim
