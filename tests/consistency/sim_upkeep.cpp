// What an instance does for all of them from time to time, as PostgresUpkeep does.
#include "consistency/sim_instance.hpp"

namespace um::sim {
namespace {

// Much less than in the product: the fence makes any time safe.
constexpr Time kHoldsKept = 3 * kStaleness;

}  // namespace

Script<> Instance::upkeep() {
  const bool hasty = world.mutated(Mutation::reaped_before_the_lease_ends);
  PostgresReaper reaper{
      {.silence = hasty ? kT / 5 : std::chrono::milliseconds{kTimes.instance_reap}}};
  auto& db = world.postgres;
  for (;;) {
    co_await world.sleep(&host, world.up_to(kStaleness));
    auto list = [&db] { return db.instances(); };
    const auto all = co_await run(look_ups, list);
    if (!all) continue;
    const BootTime now = clock();
    if (const auto known = terms(); known && !hasty) reaper.set_longest_lease(known->longest_lease);
    for (const PostgresReaper::Instance& dead : reaper.dead(*all, now)) {
      if (steps.id() == dead.id) continue;
      auto expel = [&db, dead] { return db.expel(dead.id, dead.refreshes); };
      const auto expelled = co_await run(writes, expel);
      if (expelled) world.evidence.expelled += *expelled;
    }
    std::vector<std::string> holds =
        steps.polls().holds_known_since(clock() - std::chrono::microseconds{kHoldsKept});
    std::ranges::move(std::exchange(abandoned, {}), std::back_inserter(holds));
    auto purge = [&db, holds] {
      const std::size_t dropped = db.drop_holds(holds);
      db.purge_acks();
      return dropped;
    };
    static_cast<void>(co_await run(writes, purge));
    std::vector<Unsettled> still_unsettled = std::exchange(unsettled, {});
    for (Unsettled& write : still_unsettled) {
      const auto ended = co_await has_ended(write.batch, write.name_space);
      if (ended && *ended)
        delivery.after_commit(write.keys, {.fate = PostgresWriteObserver::WriteEnd::Fate::unknown},
                              clock());
      else
        unsettled.push_back(std::move(write));
    }
  }
}

}  // namespace um::sim
