// Lease: the right of one transaction to one connection of a group. Dropping it, on any thread,
// gives the connection back, which rolls back what is still open on it.
#pragma once

#include <cstdint>
#include <memory>

namespace um::pg {

class Connection;
class Group;

class Lease {
 public:
  Lease(std::weak_ptr<Group> group, Connection& connection, std::uint64_t epoch)
      : group_{std::move(group)}, connection_{connection}, epoch_{epoch} {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();

  // On the group's loop only.
  Connection& connection() const { return connection_; }
  std::uint64_t epoch() const { return epoch_; }

 private:
  std::weak_ptr<Group> group_;
  Connection& connection_;  // lives as long as the group
  std::uint64_t epoch_;     // another one: the connection was lost meanwhile
};

}  // namespace um::pg
