#include "support/history.hpp"

#include <algorithm>
#include <map>

namespace um::test {
namespace {

using Kind = Operation::Kind;

struct Known {
  BootTime since;
  std::int64_t version;
  std::optional<std::size_t> to{};  // an instance; nullopt: all
};

// The newest known version, for moments that are asked for in ascending order.
class NewestKnown {
 public:
  NewestKnown(std::vector<Known> known, std::int64_t initial)
      : known_{std::move(known)}, to_all_{initial} {
    std::ranges::sort(known_, {}, &Known::since);
  }

  std::int64_t before(BootTime moment, std::size_t instance) {
    for (; next_ < known_.size() && known_[next_].since < moment; ++next_) {
      const Known& now_known = known_[next_];
      std::int64_t& newest = now_known.to ? to_one_[*now_known.to] : to_all_;
      newest = std::max(newest, now_known.version);
    }
    return std::max(to_all_, to_one_[instance]);
  }

 private:
  std::vector<Known> known_;
  std::size_t next_ = 0;
  std::int64_t to_all_;
  std::map<std::size_t, std::int64_t> to_one_;
};

std::string describe(const Operation& operation) {
  const auto time = [](BootTime at) { return std::to_string(at.time_since_epoch().count()); };
  const bool is_read = operation.kind == Kind::read;
  return std::string{is_read ? "read" : "write"} +
         (operation.key.empty() ? "" : " of " + operation.key) + " on instance " +
         std::to_string(operation.instance) + " from " + time(operation.begin) + " to " +
         (operation.end == kNever ? "an unknown end" : time(operation.end)) +
         (is_read ? " returned version " : " made version ") + std::to_string(operation.version);
}

// The operations of one key.
class KeyCheck {
 public:
  explicit KeyCheck(const History::Register& about) : about_{about} {}

  void add(const Operation& operation) { operations_.push_back(&operation); }

  void run(std::vector<std::string>& violations) {
    std::ranges::sort(operations_, {}, &Operation::begin);
    for (const Operation* operation : operations_) {
      if (operation->kind == Kind::write &&
          !writes_.emplace(operation->version, operation).second) {
        violations.push_back("two writes made version " + std::to_string(operation->version));
      }
    }
    collect();
    NewestKnown to_readers{std::move(to_readers_), about_.initial};
    NewestKnown to_writers{std::move(to_writers_), about_.initial};
    for (const Operation* operation : operations_) {
      const bool is_read = operation->kind == Kind::read;
      const std::int64_t newest =
          (is_read ? to_readers : to_writers).before(operation->begin, operation->instance);
      if (is_read ? operation->version < newest : operation->version <= newest) {
        violations.push_back(describe(*operation) + ", but before it began there was " +
                             std::to_string(newest));
      }
      if (is_read) check_source(*operation, violations);
    }
  }

 private:
  void collect() {
    for (const auto& [version, write] : writes_) {
      const bool acked = write->end != kNever;
      if (write->visible || acked) {
        const BootTime visible = write->visible.value_or(write->end);
        to_writers_.push_back({visible, version});
        if (write->promise != Promise::strict)
          to_readers_.push_back({visible + about_.staleness, version});
      }
      if (!acked) continue;
      if (write->promise == Promise::strict) to_readers_.push_back({write->end, version});
      if (write->promise == Promise::bounded_but_own_at_once)
        to_readers_.push_back({write->end, version, write->instance});
    }
    for (const Operation* read : operations_) {
      const auto write = writes_.find(read->version);
      if (read->kind != Kind::read || write == writes_.end()) continue;
      const bool strict = write->second->promise == Promise::strict;
      to_writers_.push_back({read->end, read->version});
      to_readers_.push_back({strict ? read->end : read->end + about_.staleness, read->version});
    }
  }

  void check_source(const Operation& read, std::vector<std::string>& violations) const {
    if (read.version <= about_.initial) return;
    const auto write = writes_.find(read.version);
    if (write == writes_.end()) {
      violations.push_back(describe(read) + ", which was never committed");
    } else if (write->second->begin >= read.end) {
      violations.push_back(describe(read) + ", of a write that began later");
    }
  }

  const History::Register& about_;
  std::vector<const Operation*> operations_;
  std::map<std::int64_t, const Operation*> writes_;
  std::vector<Known> to_readers_;
  std::vector<Known> to_writers_;
};

}  // namespace

std::vector<std::string> History::violations() const {
  std::map<std::string, KeyCheck> keys;
  for (const Operation& operation : operations_)
    keys.try_emplace(operation.key, about_).first->second.add(operation);
  std::vector<std::string> violations;
  for (auto& [name, key] : keys) key.run(violations);
  return violations;
}

}  // namespace um::test
