// PostgresWriteObserver: who wants to know of this process' own writes, around their COMMIT.
//
// Thread safety: any thread; calls do not block.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "storage/snapshot.hpp"

namespace um {

class PostgresWriteObserver {
 public:
  virtual ~PostgresWriteObserver() = default;
  // Before COMMIT is sent: the cache keys that the transaction touched.
  virtual void before_commit(std::span<const std::string> keys) = 0;
  // Once for each before_commit(), before the writer is answered. `xid`: committed under it, or
  // possibly committed. nullopt: surely not.
  virtual void after_commit(std::span<const std::string> keys, std::optional<Xid> xid) = 0;
};

}  // namespace um
