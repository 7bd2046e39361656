// Reader: a client that reads again and again through one instance: section 5, "Read(k)", one step
// at a time, with the flights of the product.
#pragma once

#include "consistency/sim_instance.hpp"

namespace um::sim {

class Reader {
 public:
  explicit Reader(Instance& instance)
      : me_{instance}, world_{instance.world}, news_{instance.world.timeline} {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Script<> run();

 private:
  struct Fetched {
    Version version = 0;
    Stamp read_in{};
  };
  Script<std::optional<Version>> read(const std::string& key);
  Script<std::optional<Version>> from_l2(const std::string& key);
  Script<std::optional<Version>> from_primary(const std::string& key, bool may_follow);
  // nullopt: the database cannot be asked.
  Script<std::optional<Fetched>> fetch(std::string key);
  bool admit(const std::string& key, const Fetched& fetched);
  void put_into_l2(const std::string& key, const Fetched& fetched);
  void deliver(const Flight<Reader*>::Landing& landing, Version version);

  Instance& me_;
  World& world_;
  // As a passenger of a flight.
  Signal news_;
  bool leads_ = false;
  std::optional<Version> given_;
};

}  // namespace um::sim
