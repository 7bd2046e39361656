// Clients: seeded clients of all instances of a fleet, which survive every fault and record what
// they saw as registers of Evidence.
//
//   a namer for each instance      increments the first name of a user of its own, by PATCH
//   a reviver                      makes a user, deletes it, and makes another with its address
//   a visitor                      signs in at one instance and out at another
//   two readers for each instance  read all of these by id and by address, and the visitor's token
//
// The lasting registers are the first names of the namers' users, and that of the outsider, whom
// only other programs change.
//
// A write that was answered with 2xx has happened. After "unknown_outcome", or without an answer,
// it may have happened, or may happen later; after any other error it has not.
//
// Thread safety: for the owner; wait_for_writes() and lost() while the clients run.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "chaos/client.hpp"

namespace um::e2e {

class Clients {
 public:
  // Makes the lasting users of the fleet; once.
  static void make_users(Fleet& fleet);

  // REQUIRES: nobody else writes now.
  Clients(Fleet& fleet, std::uint64_t seed);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // Waits for so many more acknowledged names at every instance; false: they do not come.
  bool wait_for_writes(std::uint64_t more);
  // Another program changes the first name of the outsider: `change` gets the new version.
  void change_outsider(const std::function<void(std::int64_t version)>& change);
  // Commits are being lost from now on; lost() follows.
  BootTime losing();
  void lost(Loss loss);
  // A program ends all sessions by `end`.
  void end_sessions(const std::function<void()>& end);
  // A query for the versions of the lasting registers, and what its answer says.
  std::string survivors() const { return board_.survivors(); }
  std::map<std::string, std::int64_t> survivors_in(const std::string& answer) const {
    return board_.survivors_in(answer);
  }
  std::string id_of(const std::string& user) const { return board_.id_of(user); }

  // Ends the clients. Afterwards what they saw, and the answers that no fault explains.
  Evidence stop();
  const std::vector<std::string>& trouble() const { return trouble_; }

 private:
  Fleet& fleet_;
  Board board_;
  Evidence evidence_;
  std::int64_t outside_version_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::jthread> threads_;
  std::vector<std::string> trouble_;
};

}  // namespace um::e2e
