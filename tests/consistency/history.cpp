#include "consistency/history.hpp"

#include <algorithm>
#include <map>

namespace um::sim {
namespace {

constexpr int kEverybody = -1;

struct Known {
  Time since;
  Version version;
  int to;  // an instance, or kEverybody
};

struct KeyHistory {
  std::map<Version, const Write*> writes;
  std::vector<const Read*> reads;
};

std::vector<Known> what_is_known(const KeyHistory& key, Time staleness_bound) {
  std::vector<Known> known;
  for (const auto& [version, write] : key.writes) {
    if (write->promise != Promise::strict)
      known.push_back({write->visible + staleness_bound, version, kEverybody});
    if (!write->acked || write->promise == Promise::bounded) continue;
    const int to = write->promise == Promise::strict ? kEverybody : write->instance;
    known.push_back({*write->acked, version, to});
  }
  for (const Read* read : key.reads) {
    const auto write = key.writes.find(read->version);
    if (write != key.writes.end() && write->second->promise == Promise::strict)
      known.push_back({read->ended, read->version, kEverybody});
  }
  std::ranges::sort(known, {}, &Known::since);
  return known;
}

std::string sentence(const Read& read, const std::string& what, Version other) {
  return "read of " + read.key + " on instance " + std::to_string(read.instance) + " from " +
         std::to_string(read.began) + " to " + std::to_string(read.ended) + " returned version " +
         std::to_string(read.version) + what + std::to_string(other);
}

void check(const KeyHistory& key, Time staleness_bound, std::vector<std::string>& violations) {
  const auto known = what_is_known(key, staleness_bound);
  auto next = known.begin();
  std::map<int, Version> newest_known_to;
  for (const Read* read : key.reads) {
    for (; next != known.end() && next->since < read->began; ++next) {
      Version& newest = newest_known_to[next->to];
      newest = std::max(newest, next->version);
    }
    const Version expected = std::max(newest_known_to[kEverybody], newest_known_to[read->instance]);
    if (read->version < expected)
      violations.push_back(sentence(*read, ", but before it began there was ", expected));
    if (read->version == 0) continue;
    const auto write = key.writes.find(read->version);
    if (write == key.writes.end())
      violations.push_back(sentence(*read, ", which was never committed; ", read->version));
    else if (write->second->began >= read->ended)
      violations.push_back(sentence(*read, ", whose write began later; ", read->version));
  }
}

}  // namespace

std::vector<std::string> History::violations() const {
  std::map<std::string, KeyHistory> keys;
  for (const auto& write : writes_) keys[write.key].writes.emplace(write.version, &write);
  for (const auto& read : reads_) keys[read.key].reads.push_back(&read);
  std::vector<std::string> violations;
  for (auto& [name, key] : keys) {
    std::ranges::sort(key.reads, {}, &Read::began);
    check(key, staleness_bound_, violations);
  }
  return violations;
}

}  // namespace um::sim
