// Unit: commands that are sent together and end with one Sync: they succeed or fail together, and
// apart from every other unit on the connection. Plain data; who waits for it is not known here.
//
// Thread safety: touched on the connection's loop only.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/params.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"

namespace um::pg {

struct Command {
  enum class How {
    prepared,  // prepared on its first use on a connection
    once,      // parsed each time it is sent
  };
  const Query* query;
  Params params{};
  How how = How::prepared;
};

struct Unit {
  explicit Unit(std::vector<Command> to_send) : commands{std::move(to_send)} {}
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;
  virtual ~Unit() = default;

  std::vector<Command> commands;

  // What came back: one answer for each command, or fewer and the failure of the next.
  std::vector<Rows> answers{};
  std::optional<Failure> failure{};
  BootTime sent_at{};
};

}  // namespace um::pg
