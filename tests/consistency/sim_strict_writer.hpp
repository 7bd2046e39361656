// StrictWriter: writes of one instance, strict or bounded as the deployment is: StrictWrite and
// LostCommit with simulated statements, as PostgresStrictWrites runs them on real ones.
#pragma once

#include <memory>
#include <set>

#include "consistency/sim_batch.hpp"
#include "consistency/sim_instance.hpp"

namespace um::sim {

class StrictWriter {
 public:
  explicit StrictWriter(Instance& instance) : me_{instance}, world_{instance.world} {}
  StrictWriter(const StrictWriter&) = delete;
  StrictWriter& operator=(const StrictWriter&) = delete;

  Script<> run();

 private:
  using Way = StrictWrite::Way;
  enum class Next { step, plan, end };

  Script<> write();
  Script<bool> know_terms();
  Script<bool> plan(int attempt);
  Script<bool> place(std::vector<std::string> keys, StrictTerms terms);
  Script<> wait(BootTime until, StrictTerms terms);
  Script<Next> commit(Way way, StrictTerms terms);
  Script<> after_loss(std::shared_ptr<Batch> batch, StrictTerms terms);
  Script<> look(std::shared_ptr<Batch> batch);
  void tell_committed(const Batch& batch);
  void tell_not_committed(Batch& batch);
  void count(Way way);
  bool is_late() const { return world_.now() > deadline_; }

  Instance& me_;
  World& world_;
  std::optional<StrictWrite> steps_;
  Time began_ = 0;
  Time deadline_ = 0;
  std::set<std::string> keys_;
  std::map<std::string, Version> expected_;
  std::string remaining_hold_;
  std::vector<std::string> registered_;  // before A
  bool elsewhere_ = false;
};

}  // namespace um::sim
