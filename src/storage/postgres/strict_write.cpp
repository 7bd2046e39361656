#include "storage/postgres/strict_write.hpp"

#include <algorithm>

namespace um {

auto AckBoard::missing(const std::optional<std::string>& own, const std::vector<Xid>& holds) const
    -> std::vector<Instance> {
  const auto has_acknowledged = [&](const Instance& instance) {
    return std::ranges::any_of(acks, [&](const Ack& ack) {
      return ack.instance == instance.id && std::ranges::all_of(holds, [&](Xid xid) {
               return ack.xid > xid && ack.seen.sees(xid);
             });
    });
  };
  std::vector<Instance> missing;
  for (const Instance& instance : instances)
    if (instance.id != own && !has_acknowledged(instance)) missing.push_back(instance);
  return missing;
}

// A crash or a failover empties the registry while leases of the namespace before may be alive. So
// that nobody else is registered counts only after the longest of them has ended.
bool StrictWrite::is_alone(const StrictTerms& terms, BootTime now) const {
  return !hold_ && !met_others_ && !terms.company && terms.first_seen &&
         now >= *terms.first_seen + terms.longest_lease;
}

StrictWrite::Step StrictWrite::next(const StrictTerms& terms, const std::set<std::string>& keys,
                                    BootTime now) {
  using Act = Step::Act;
  if (terms.outdated) return {.act = Act::refuse};
  if (terms.mode == Consistency::bounded) return {.act = Act::commit, .way = Way::bounded};
  // A crash empties cache_holds, and everything else that changes the namespace changes the epoch.
  if (hold_ && hold_->name_space != terms.name_space) hold_.reset();
  if (is_alone(terms, now)) return {.act = Act::commit, .way = Way::alone};

  std::vector<std::string> missing;
  if (hold_)
    std::ranges::set_difference(keys, hold_->keys, std::back_inserter(missing));
  else
    missing.assign(keys.begin(), keys.end());
  if (!missing.empty()) {
    if (!hold_) hold_id_ = new_hold_id_();
    return {.act = Act::place, .keys = std::move(missing)};
  }
  const BootTime known_since = terms.first_seen.value_or(hold_->placed_at);
  const BootTime registry_counts = known_since + terms.longest_lease;
  const BootTime none_is_left = std::max(hold_->placed_at, known_since) + terms.longest_lease;
  if (now >= none_is_left) return {.act = Act::commit, .way = Way::waited};
  if (acknowledged_ && terms.first_seen && now >= registry_counts)
    return {.act = Act::commit, .way = Way::acknowledged};
  const bool only_time = acknowledged_ && terms.first_seen;
  return {.act = Act::wait, .until = only_time ? registry_counts : none_is_left};
}

void StrictWrite::placed(const std::vector<std::string>& keys, Xid xid, BootTime at,
                         const std::string& name_space) {
  if (!hold_) hold_ = Hold{};
  hold_->keys.insert(keys.begin(), keys.end());
  hold_->xids.push_back(xid);
  hold_->placed_at = at;
  hold_->name_space = name_space;
  acknowledged_ = false;
}

void StrictWrite::gate_not_yet(Way way) {
  if (way == Way::alone)
    met_others_ = true;
  else
    acknowledged_ = false;
}

}  // namespace um
