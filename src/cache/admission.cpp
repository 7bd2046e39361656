#include "cache/admission.hpp"

#include <algorithm>

namespace um {

Snapshot union_of(const Snapshot& a, const Snapshot& b) {
  const Snapshot& later = a.xmax >= b.xmax ? a : b;
  const Snapshot& earlier = a.xmax >= b.xmax ? b : a;
  Snapshot both{.xmax = later.xmax, .xip = {}};
  std::ranges::copy_if(later.xip, std::back_inserter(both.xip),
                       [&](Xid xid) { return !earlier.sees(xid); });
  return both;
}

bool ChangeLog::add(std::string_view key, Xid xid) {
  if (base_.sees(xid)) return true;
  auto found = xids_by_key_.find(key);
  if (found == xids_by_key_.end()) found = xids_by_key_.emplace(key, Xids{}).first;
  Xids& xids = found->second;
  const auto place = std::ranges::lower_bound(xids, xid);
  if (place != xids.end() && *place == xid) return false;
  xids.insert(place, xid);
  ++size_;
  return true;
}

// A key that changes often has a long list, and a snapshot has few running transactions. So each
// running transaction is searched in the list, and the highest id of the list is compared with
// xmax.
bool ChangeLog::seen_by(std::string_view key, const Snapshot& snapshot) const {
  const auto found = xids_by_key_.find(key);
  if (found == xids_by_key_.end()) return true;
  const Xids& xids = found->second;
  return xids.back() < snapshot.xmax &&
         std::ranges::none_of(
             snapshot.xip, [&](Xid running) { return std::ranges::binary_search(xids, running); });
}

void ChangeLog::move_base(const Snapshot& snapshot) {
  base_ = union_of(base_, snapshot);
  for (auto entry = xids_by_key_.begin(); entry != xids_by_key_.end();) {
    size_ -= std::erase_if(entry->second, [&](Xid xid) { return base_.sees(xid); });
    entry = entry->second.empty() ? xids_by_key_.erase(entry) : std::next(entry);
  }
}

void ChangeLog::fold_into_base() {
  for (const auto& [key, xids] : xids_by_key_) {
    base_.xmax = std::max(base_.xmax, xids.back() + 1);
    std::erase_if(base_.xip,
                  [&](Xid running) { return std::ranges::binary_search(xids, running); });
  }
  xids_by_key_.clear();
  size_ = 0;
}

void ChangeLog::start_over(const Snapshot& base) {
  base_ = base;
  xids_by_key_.clear();
  size_ = 0;
}

}  // namespace um
