#include "storage/postgres/registry.hpp"

#include <algorithm>

namespace um {

void PostgresRegistry::joined(std::string id, BootTime sent_at) {
  id_ = std::move(id);
  last_refresh_ = sent_at;
}

void PostgresRegistry::expelled() {
  id_.clear();
  last_refresh_ = BootTime::min();
}

auto PostgresRegistry::silent(const std::vector<Instance>& all, BootTime now)
    -> std::vector<Instance> {
  std::erase_if(seen_, [&](const auto& seen) {
    return std::ranges::none_of(all, [&](const Instance& i) { return i.id == seen.first; });
  });
  std::vector<Instance> result;
  for (const Instance& instance : all) {
    if (instance.id == id_) continue;
    const auto [known, is_new] =
        seen_.try_emplace(instance.id, Seen{.refreshes = instance.refreshes, .since = now});
    Seen& seen = known->second;
    if (seen.refreshes != instance.refreshes)
      seen = {.refreshes = instance.refreshes, .since = now};
    else if (!is_new && now - seen.since >= times_.silence)
      result.push_back(instance);
  }
  return result;
}

}  // namespace um
