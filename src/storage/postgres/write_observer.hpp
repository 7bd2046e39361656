// PostgresWriteObserver: receives this process' own writes, around their COMMIT, and knows the
// terms of strict writes. The feed is one; a process without a feed has one of its own.
//
// Thread safety: any thread; calls do not block.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "storage/postgres/strict_terms.hpp"
#include "storage/snapshot.hpp"

namespace um {

class PostgresWriteObserver {
 public:
  // How a write ended.
  struct WriteEnd {
    enum class Fate {
      not_committed,  // surely
      committed,      // or perhaps: it was committed under `xid`, if at all
      unknown         // it may have been committed, under an id that is not known, and has ended
    } fate = Fate::not_committed;
    Xid xid = 0;
    Tau tau{};  // the namespace of `xid`
  };

  virtual ~PostgresWriteObserver() = default;
  // Before the packet is sent that may commit: the cache keys that the transaction touches.
  virtual void before_commit(std::span<const std::string> keys) = 0;
  // Once for each before_commit(), before the writer is answered.
  virtual void after_commit(std::span<const std::string> keys, const WriteEnd& end) = 0;

  // nullopt: nothing is known yet, or there is no feed: it has no connection, or there is none at
  // all (the command line).
  virtual std::optional<StrictTerms> terms() const = 0;
  // Whether this process serves: it has a feed, connected or not. Others are commands.
  virtual bool follows() const = 0;
  // A gate found other instances although the terms named none.
  virtual void note_company() = 0;
};

}  // namespace um
