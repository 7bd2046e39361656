// StrictWrite: the order of the steps of one strict write (docs/consistency.md, section 6), as a
// state machine without I/O. The database adapter runs the statements, the simulation runs them on
// a simulated database.
//
//   A  place    the keys become rows of cache_holds
//   W  wait     until every registered instance has acknowledged them, or no lease from before A
//               can be alive any more
//   B  commit   the gate and the change, in one transaction
//
// An instance that is alone commits at once, and so does every one in mode bounded. A rolled-back B
// leaves the hold in place, and the next attempt needs A and W only for keys that the hold does not
// have.
//
// AckBoard: the registry and the acknowledgements as one statement read them.
//
// Thread safety: none; each belongs to one coroutine.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/postgres/strict_terms.hpp"
#include "storage/snapshot.hpp"

namespace um {

struct AckBoard {
  struct Instance {
    std::string id;
    std::string name;  // for people
  };
  struct Ack {
    std::string instance;
    Xid xid;
    Snapshot seen;
  };
  std::vector<Instance> instances{};
  std::vector<Ack> acks{};

  // The instances, without `own`, that have not acknowledged holds that these transactions
  // inserted. The gate asks the same; what a writer reads here only decides when trying B is worth
  // it.
  std::vector<Instance> missing(const std::optional<std::string>& own,
                                const std::vector<Xid>& holds) const;
};

class StrictWrite {
 public:
  enum class Way { alone, acknowledged, waited, bounded };
  // As the gate and the metrics name them.
  static constexpr std::array<std::string_view, 4> kWayNames{"alone", "acknowledged", "waited",
                                                             "bounded"};
  struct Step {
    enum class Act {
      place,   // insert rows for `keys` under hold_id(), then placed()
      wait,    // until `until`, or until acknowledged() can be called
      commit,  // by `way`
      refuse   // the deployment has changed: no write until this process is restarted
    } act;
    Way way = Way::waited;
    std::vector<std::string> keys{};
    BootTime until{};
  };

  // `new_hold_id`: a random UUID with the beginning that the feed knows as this process' own.
  explicit StrictWrite(std::function<std::string()> new_hold_id)
      : new_hold_id_{std::move(new_hold_id)} {}

  // `keys`: all that the transaction will touch.
  Step next(const StrictTerms& terms, const std::set<std::string>& keys, BootTime now);

  // REQUIRES: next() said place. `xid`: of A. `at`: when its commit was acknowledged. `name_space`:
  // that of the connection which A used.
  void placed(const std::vector<std::string>& keys, Xid xid, BootTime at,
              const std::string& name_space);
  void acknowledged() { acknowledged_ = true; }

  // What the gate said; B was rolled back.
  void gate_not_yet(Way way);
  void gate_lost_the_hold() { hold_.reset(); }

  // Whether rows of cache_holds may exist, and under which id.
  bool has_hold() const { return hold_.has_value(); }
  const std::string& hold_id() const { return hold_id_; }
  const std::set<std::string>& held_keys() const { return hold_->keys; }
  const std::vector<Xid>& hold_xids() const { return hold_->xids; }

 private:
  struct Hold {
    std::set<std::string> keys{};
    std::vector<Xid> xids{};  // of the transactions that inserted its rows
    BootTime placed_at{};     // t_A, of the last one
    std::string name_space{};
  };
  bool is_alone(const StrictTerms& terms, BootTime now) const;

  std::function<std::string()> new_hold_id_;
  std::string hold_id_;  // of hold_, or of the one that is being placed
  std::optional<Hold> hold_;
  bool acknowledged_ = false;  // all of hold_
  bool met_others_ = false;
};

}  // namespace um
