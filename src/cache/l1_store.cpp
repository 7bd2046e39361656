#include "cache/l1_store.hpp"

#include <limits>
#include <memory>
#include <new>
#include <utility>

namespace um {

const L1Value* L1Store::find(HashedKey key) {
  if (entries_ == 0) return nullptr;
  Entry* entry = *slot_of(key);
  if (entry == nullptr) return nullptr;
  entry->asked_for = true;
  return &entry->value;
}

void L1Store::insert(HashedKey key, L1Value value) {
  erase(key);
  const std::size_t charge = charge_bytes(key.bytes, value);
  if (key.bytes.size() > std::numeric_limits<std::uint16_t>::max()) return;
  // Other entries are evicted before the new one joins the queue: its visited bit is not set yet,
  // so the hand would evict it first.
  const auto fits = [&] {
    return entry_bytes_ + charge + table_bytes(buckets_with_one_more()) <= capacity_bytes_;
  };
  if (charge + table_bytes(buckets_.size()) > capacity_bytes_) return;
  while (entries_ > 0 && !fits()) evict_one();
  if (!fits()) return;
  if (entries_ == buckets_.size()) grow_table();

  Entry* entry = make_entry(key, std::move(value));
  Entry** slot = &buckets_[key.hash & (buckets_.size() - 1)];
  entry->next_in_bucket = *slot;
  *slot = entry;
  append_newest(entry);
  ++entries_;
  entry_bytes_ += entry->charge;
}

bool L1Store::erase(HashedKey key) {
  if (entries_ == 0) return false;
  Entry** slot = slot_of(key);
  if (*slot == nullptr) return false;
  remove(slot);
  return true;
}

void L1Store::clear() {
  for (Entry* entry = oldest_; entry != nullptr;) destroy(std::exchange(entry, entry->newer));
  std::vector<Entry*>{}.swap(buckets_);
  newest_ = oldest_ = hand_ = nullptr;
  entries_ = entry_bytes_ = 0;
}

void L1Store::swap(L1Store& other) noexcept {
  std::swap(capacity_bytes_, other.capacity_bytes_);
  buckets_.swap(other.buckets_);
  std::swap(newest_, other.newest_);
  std::swap(oldest_, other.oldest_);
  std::swap(hand_, other.hand_);
  std::swap(entries_, other.entries_);
  std::swap(entry_bytes_, other.entry_bytes_);
}

std::size_t L1Store::charge_bytes(std::string_view key, const L1Value& value) {
  return heap_cost_bytes(sizeof(Entry) + key.size()) + heap_cost_bytes(value);
}

// Returns the place of the pointer to the key's entry, or of the null at the end of its bucket.
L1Store::Entry** L1Store::slot_of(HashedKey key) {
  Entry** slot = &buckets_[key.hash & (buckets_.size() - 1)];
  while (*slot != nullptr && ((*slot)->hash != key.hash || (*slot)->key() != key.bytes))
    slot = &(*slot)->next_in_bucket;
  return slot;
}

std::size_t L1Store::buckets_with_one_more() const {
  const std::size_t buckets = buckets_.size();
  if (entries_ < buckets) return buckets;
  return buckets == 0 ? 8 : buckets * 2;
}

void L1Store::grow_table() {
  std::vector<Entry*> larger(buckets_with_one_more());
  for (Entry* entry = oldest_; entry != nullptr; entry = entry->newer) {
    Entry** slot = &larger[entry->hash & (larger.size() - 1)];
    entry->next_in_bucket = *slot;
    *slot = entry;
  }
  buckets_.swap(larger);
}

void L1Store::append_newest(Entry* entry) {
  entry->older = newest_;
  entry->newer = nullptr;
  if (newest_ != nullptr) newest_->newer = entry;
  newest_ = entry;
  if (oldest_ == nullptr) oldest_ = entry;
}

// The loop ends: the hand clears the visited bit of every entry that it passes, so in a second
// round no bit is set.
void L1Store::evict_one() {
  Entry* candidate = hand_ != nullptr ? hand_ : oldest_;
  while (candidate->asked_for) {
    candidate->asked_for = false;
    candidate = candidate->newer != nullptr ? candidate->newer : oldest_;
  }
  hand_ = candidate->newer;
  ++evictions_;
  remove(slot_of({candidate->key(), candidate->hash}));
}

void L1Store::remove(Entry** slot) {
  Entry* entry = *slot;
  *slot = entry->next_in_bucket;
  if (hand_ == entry) hand_ = entry->newer;
  (entry->newer != nullptr ? entry->newer->older : newest_) = entry->older;
  (entry->older != nullptr ? entry->older->newer : oldest_) = entry->newer;
  --entries_;
  entry_bytes_ -= entry->charge;
  destroy(entry);
}

L1Store::Entry* L1Store::make_entry(HashedKey key, L1Value value) {
  const auto charge = static_cast<std::uint32_t>(charge_bytes(key.bytes, value));
  void* memory = ::operator new(sizeof(Entry) + key.bytes.size());
  auto* entry = new (memory) Entry{.newer = nullptr,
                                   .older = nullptr,
                                   .next_in_bucket = nullptr,
                                   .hash = key.hash,
                                   .value = std::move(value),
                                   .charge = charge,
                                   .key_size = static_cast<std::uint16_t>(key.bytes.size()),
                                   .asked_for = false};
  key.bytes.copy(static_cast<char*>(memory) + sizeof(Entry), key.bytes.size());
  return entry;
}

void L1Store::destroy(Entry* entry) {
  std::destroy_at(entry);
  ::operator delete(entry);
}

}  // namespace um
