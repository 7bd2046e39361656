#include "storage/postgres/settled_writes.hpp"

namespace um {

void SettledWrites::add(BootTime settled_at, std::span<const std::string> keys) {
  writes_.push_back({.at = settled_at, .keys = {keys.begin(), keys.end()}});
  keys_ += keys.size();
  if (keys_ <= max_keys_) return;
  forgotten_at_ = settled_at;
  writes_.clear();
  keys_ = 0;
}

void SettledWrites::forget_until(BootTime sent_at) {
  while (!writes_.empty() && writes_.front().at < sent_at) {
    keys_ -= writes_.front().keys.size();
    writes_.pop_front();
  }
}

std::vector<std::string> SettledWrites::keys() const {
  std::vector<std::string> all;
  all.reserve(keys_);
  for (const Write& write : writes_) all.insert(all.end(), write.keys.begin(), write.keys.end());
  return all;
}

}  // namespace um
