// Reader: section 5, "Read(k)", one step at a time.
#pragma once

#include "consistency/sim_world.hpp"

namespace um::sim {

class Reader final : public Actor {
 public:
  explicit Reader(Instance& instance) : instance_{instance} {}
  void step(World& world) override;

 private:
  enum class State {
    begin,
    list,
    first_check,
    second_check,
    join,
    ask,
    arrive,
    land,
    wait,
    answer
  };

  void begin(World& world);
  void first_check(World& world);
  void second_check(World& world);
  void join(World& world);
  void arrive(World& world);
  void land(World& world);
  void answer(World& world);

  bool admit(World& world);
  void look_up();
  void wake(Time at, State next);
  void deliver(World& world, const Flight<Reader*>::Landing& landing);

  Instance& instance_;
  State state_ = State::begin;
  Operation read_{};
  Time clock_read_ = 0;
  bool from_primary_ = false;
  bool leased_ = false;
  std::optional<Version> remembered_;
  SimDatabase::Row row_{};
  bool verdict_ = false;
};

}  // namespace um::sim
