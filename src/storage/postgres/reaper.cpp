#include "storage/postgres/reaper.hpp"

#include <algorithm>

namespace um {

auto PostgresReaper::read(const pg::Rows& rows) -> std::vector<Instance> {
  std::vector<Instance> all;
  all.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    all.push_back({.id = std::string{rows.text(i, 0)},
                   .refreshes = rows.integer(i, 1),
                   .protocol = rows.integer(i, 2),
                   .name = std::string{rows.text(i, 3)},
                   .session_has_ended = rows.boolean(i, 4)});
  return all;
}

auto PostgresReaper::dead(const std::vector<Instance>& all, BootTime now) -> std::vector<Instance> {
  std::erase_if(seen_, [&](const auto& seen) {
    return std::ranges::none_of(all, [&](const Instance& i) { return i.id == seen.first; });
  });
  std::vector<Instance> result;
  for (const Instance& instance : all) {
    Seen& seen = seen_.try_emplace(instance.id, Seen{.refreshes = instance.refreshes, .since = now})
                     .first->second;
    if (seen.refreshes != instance.refreshes)
      seen = {.refreshes = instance.refreshes, .since = now};
    if (!instance.session_has_ended)
      seen.ended_since.reset();
    else if (!seen.ended_since)
      seen.ended_since = now;
    const bool silent = now - seen.since >= times_.silence;
    const bool gone = seen.ended_since && now - *seen.ended_since >= times_.longest_lease;
    if (silent || gone) result.push_back(instance);
  }
  return result;
}

}  // namespace um
