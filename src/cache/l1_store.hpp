// L1Store: a bounded map of values by key; one shard's share of L1.
//
// The bound is in bytes, not in entries: an entry is charged with its real cost, which includes the
// key, the node, the object, its strings and its part of the table. When there is no room, SIEVE
// selects the entry to evict (Zhang, Yang, Yue, Vigfusson, Rashmi: "SIEVE is Simpler than LRU: an
// Efficient Turn-Key Eviction Algorithm for Web Caches", NSDI 2024). Entries are in a queue by age.
// A hand moves from the oldest towards the newest, clears the visited bit (asked_for) of every
// entry that was used since it last passed, and evicts the first entry without the bit. So a hit
// only sets one bit: no list is changed, and the lock is held for a few instructions.
//
// Thread safety: none; the shard's lock guards it (coherence_shard.hpp).
//
// Invariants:
//  1. bytes() <= capacity_bytes(), after every call.
//  2. Every entry is in exactly one bucket and in the queue.
//  3. hand_ is null (the next walk starts with the oldest) or an entry of the queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cache/key_hash.hpp"
#include "cache/l1_value.hpp"

namespace um {

class L1Store {
 public:
  explicit L1Store(std::size_t capacity_bytes) : capacity_bytes_{capacity_bytes} {}
  ~L1Store() { clear(); }
  L1Store(const L1Store&) = delete;
  L1Store& operator=(const L1Store&) = delete;

  // The value, valid until the next call that is not const; nullptr if there is none. Sets the
  // visited bit of the entry.
  const L1Value* find(HashedKey key);
  // Replaces the old value. A new value that is larger than the whole store is not stored; the old
  // one is removed all the same.
  void insert(HashedKey key, L1Value value);
  bool erase(HashedKey key);
  void clear();
  // REQUIRES: both have the same capacity. Lets a store be emptied under a lock and freed after it.
  void swap(L1Store& other) noexcept;

  std::size_t bytes() const { return entry_bytes_ + table_bytes(buckets_.size()); }
  std::size_t entries() const { return entries_; }
  std::size_t capacity_bytes() const { return capacity_bytes_; }
  std::uint64_t evictions() const { return evictions_; }

  // The cost of an entry, without its part of the table (one pointer per bucket).
  static std::size_t charge_bytes(std::string_view key, const L1Value& value);

 private:
  // One allocation: the key's bytes follow the struct.
  struct Entry {
    Entry* newer;
    Entry* older;
    Entry* next_in_bucket;
    std::uint64_t hash;
    L1Value value;
    std::uint32_t charge;
    std::uint16_t key_size;
    bool asked_for;

    std::string_view key() const {
      return {static_cast<const char*>(static_cast<const void*>(this + 1)), key_size};
    }
  };

  Entry** slot_of(HashedKey key);
  static std::size_t table_bytes(std::size_t buckets) {
    return buckets > 0 ? heap_cost_bytes(buckets * sizeof(Entry*)) : 0;
  }
  std::size_t buckets_with_one_more() const;
  void grow_table();
  void append_newest(Entry* entry);
  void evict_one();
  void remove(Entry** slot);
  static Entry* make_entry(HashedKey key, L1Value value);
  static void destroy(Entry* entry);

  std::size_t capacity_bytes_;
  std::vector<Entry*> buckets_;  // a power of two, or empty
  Entry* newest_ = nullptr;
  Entry* oldest_ = nullptr;
  Entry* hand_ = nullptr;
  std::size_t entries_ = 0;
  std::size_t entry_bytes_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace um
