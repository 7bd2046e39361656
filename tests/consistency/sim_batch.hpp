// Batch: B, one transaction in the server: the gate and the change. It goes on when its client has
// lost the connection, or died, and the database may die under it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "consistency/sim_world.hpp"

namespace um::sim {

struct Batch {
  explicit Batch(Timeline& timeline) : news{timeline} {}

  enum class End {
    under_way,
    committed,
    not_replicated,
    other_epoch,
    hold_is_gone,
    not_yet,
    lost_race
  };

  Operation write{};                          // but for key and version
  std::map<std::string, Version> expected{};  // by key: the compare-and-set
  StrictWrite::Way way = StrictWrite::Way::waited;
  std::string hold{};
  std::size_t held_keys = 0;
  std::optional<std::string> own{};  // registration
  std::int64_t epoch = 0;
  std::optional<std::vector<std::string>> registered{};  // a mutation: read earlier

  // What the server has done so far.
  End end = End::under_way;
  std::optional<Xid> xid{};
  bool has_begun = false;
  bool has_ended = false;
  bool is_committed = false;
  std::map<std::string, Version> made{};
  std::vector<std::size_t> in_history{};
  Signal news;

  bool never_arrives = false;
  bool said_not_committed = false;  // to the client
};

// The server's part. `life`: of the connection.
Script<> serve(World& world, std::shared_ptr<Batch> batch, int life);

}  // namespace um::sim
