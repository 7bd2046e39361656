// One state of the modelled world: the database, the instances, the writers, one reader.
//
// Times are what is left of them or what has passed of them, never points in time, so that the
// number of states is finite. Every member is a byte or a pair of bytes: the bytes of a State are
// its identity.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace um::model {

using Byte = std::uint8_t;

template <class Word>
struct Bits {
  Word word = 0;

  constexpr bool has(unsigned i) const { return ((word >> i) & 1U) != 0; }
  constexpr bool empty() const { return word == 0; }
  constexpr bool contains(Bits other) const { return (other - *this).empty(); }
  constexpr unsigned top() const { return static_cast<unsigned>(std::bit_width(word)); }
  constexpr void add(unsigned i) { word = static_cast<Word>(word | (1U << i)); }
  constexpr void remove(unsigned i) { word = static_cast<Word>(word & ~(1U << i)); }
  friend constexpr Bits operator|(Bits a, Bits b) { return {static_cast<Word>(a.word | b.word)}; }
  friend constexpr Bits operator&(Bits a, Bits b) { return {static_cast<Word>(a.word & b.word)}; }
  friend constexpr Bits operator-(Bits a, Bits b) { return {static_cast<Word>(a.word & ~b.word)}; }
  bool operator==(const Bits&) const = default;
};

// A set of transaction ids. As a snapshot it holds the ended ones: x is in it if and only if x <
// xmax and x is not in xip. So "xid >= xmax(S) or xid in xip(S)" is "not in the set", and covers(a,
// b) is "a contains b".
using Xids = Bits<std::uint16_t>;
constexpr unsigned kMostXids = 15;  // from 1 on; 0 stands for none

constexpr unsigned kInstances = 3;
constexpr unsigned kWriters = 2;
constexpr unsigned kKeys = 2;  // two cache keys of one row: its id, its address

// Rows of cache_holds: one for each pair of hold id and key.
using Holds = Bits<Byte>;
constexpr unsigned hold_row(unsigned id, unsigned key) {
  return id * kKeys + key;
}
constexpr Holds hold_rows_of_key(unsigned key) {
  Holds rows;
  for (unsigned id = 0; id < kWriters; ++id) {
    rows.add(hold_row(id, key));
  }
  return rows;
}

// The namespace: the incarnation and the epoch. 0: PostgreSQL has emptied cache_incarnation.
using Namespace = Byte;
constexpr Namespace name_of(unsigned incarnation, unsigned epoch) {
  return static_cast<Namespace>(incarnation * 4 + epoch);
}
constexpr unsigned incarnation_of(Namespace name) {
  return name / 4U;
}
constexpr unsigned epoch_of(Namespace name) {
  return name % 4U;
}

struct Database {
  Xids ended;
  Xids committed;
  Xids changes;    // rows of user_changes for the watched key, by xid
  Xids mark;       // snapshot_marks, the oldest kept one
  Xids fact_seen;  // a fact in Redis: its snapshot
  std::array<Xids, kInstances> ack_seen;
  std::array<Byte, kInstances>
      ack_of;  // cache_acks: the generation of the id that acknowledged last, 0: none
  std::array<Byte, kInstances> ack_xid;
  std::array<Byte, kInstances> row;  // cache_instances: the generation of the id, 0: no row
  std::array<Byte, kWriters * kKeys> hold_xid;
  Holds holds;         // committed rows
  Holds locked_holds;  // an open B is deleting them
  Byte next_xid;
  Byte version;      // of the one row; the committed one
  Byte row_lock;     // the writer, from 1 on, that has updated it and is still open
  Byte incarnation;  // the present one, or the one before while there is none
  Byte has_incarnation;
  Byte epoch;
  Byte bound;  // T and former T
  Byte former_bound;
  Byte joining;  // the instance, from 1 on, that holds the EXCLUSIVE lock
  Byte mark_of;  // the namespace of the mark, 0: none
  Byte purged;   // what the mark sees is gone from user_changes
  Byte fact_of;  // the namespace of the fact in Redis, 0: none
  Byte fact_version;
  Byte foreign_xid;  // a transaction of somebody else, 0: none yet
  Byte foreign_open;

  Namespace name() const { return has_incarnation != 0 ? name_of(incarnation, epoch) : Byte{0}; }
};

enum class Link : Byte { up, lost };
enum class Join : Byte { out, locked, inserted, acknowledged };
enum class Poll : Byte { idle, sent, answered, received, emptied, applied };
enum class Ack : Byte { idle, sent, refused };
enum class Refresh : Byte { idle, sent, done, missed };
enum class Life : Byte { not_started, running, leaving, gone };

struct Instance {
  Xids applied;  // S
  Xids base;     // B
  Xids log;      // of the watched key
  Xids answer;   // S' of the poll under way
  Xids answer_changes;
  Xids ack_seen;
  Xids fill_seen;  // S_e of the query under way
  Namespace name;  // of S
  Namespace answer_name;
  Namespace fill_name;
  Namespace first_name;  // the namespace whose first poll was received last
  Byte first_wait;       // what is left until acknowledgements count in it
  Life life;
  Byte bound;       // T as this process was configured
  Link link;        // of the feed
  Byte fresh;       // the next poll starts from nothing
  Byte generation;  // of the own id
  Join join;
  Poll poll;
  Byte poll_age;       // since it was sent
  Byte poll_entitled;  // sent after the registration of the present id was acknowledged
  Byte answer_fresh;
  Byte answer_flush;   // S does not cover the mark
  Byte answer_marked;  // starts from the mark
  Byte answer_bound;
  Holds answer_holds;
  Holds answer_new_holds;
  Holds holds;  // H
  Holds acknowledged;
  Holds local;  // the writers, by number, whose keys this process holds
  Byte l1;      // 0: not there; else version + 1
  Byte lease;   // what is left of it
  Byte lease_l2;
  Refresh refresh;
  Byte refresh_age;
  Byte refresh_left;  // Y since the last acknowledged refresh was sent: what is left
  Ack ack;
  Byte fill;  // a query under way
  Byte fill_version;
  Byte own_floor;  // the newest version that this instance itself was told to be written
  Byte padding = 0;
};

enum class Phase : Byte {
  idle,
  planned,    // R
  a_open,     // A
  a_done,     // committed; the writer does not know yet
  held,       // W
  b_begun,    // B: the gate has compared the epoch
  b_fenced,   // the hold is deleted, or the registry is locked
  b_gated,    // the gate is passed
  b_updated,  // COMMIT is sent
  b_done,     // committed; the writer does not know yet
  lost,       // the connection was lost during COMMIT
  no_hold,    // the hold was found gone
  written,
  failed,
  unknown,
};
enum class Way : Byte { none, alone, acknowledged, waited, bounded };
enum class Fate : Byte { none, open, committed, aborted };

struct Writer {
  Phase phase;
  Way way;
  Fate fate;          // of B in the database
  Namespace name;     // of the connection
  Byte xid;           // of B
  Byte base_version;  // what the compare-and-set expects
  Byte version;       // what B wrote
  Byte wait;          // what is left of W
  Byte hold_id;
  Bits<Byte> keys;   // of the hold
  Bits<Byte> asked;  // the instances of the registry as W saw it (a mutation)
  Byte known_wait;   // max(T, former T) + epsilon, as the writer knows them
};

// One reader is enough: readers do not influence each other.
struct Reader {
  enum class At : Byte { none, checked, looked, following };
  At at;
  Byte instance;
  Byte floor;
  Byte valid;    // the lease was, when it joined the flight
  Byte version;  // looked up before the lease was checked (a mutation)
  Byte padding = 0;
};

struct Reaper {
  enum class At : Byte { none, listed, waiting };
  At at;
  Byte left;
  Byte changed;  // the row is not the one that the list showed
  Byte generation;
};

enum class Violation : Byte { none, stale_read, own_write_missed, false_success, false_failure };

struct State {
  Database database;
  std::array<Instance, kInstances> instances;
  std::array<Writer, kWriters> writers;
  Reader reader;
  Reaper reaper;
  Byte floor;               // what every read that begins now must return at least
  std::array<Byte, 4> due;  // by bounded version: what is left until it belongs to the floor
  // How often these may still happen.
  Byte crashes_left;
  Byte losses_left;
  Byte migrations_left;
  Byte foreign_left;
  Byte restarts_left;
  Violation violation;
  Byte padding = 0;
};

}  // namespace um::model
