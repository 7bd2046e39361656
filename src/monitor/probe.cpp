#include "monitor/probe.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace um {
namespace {

constexpr std::string_view kPrefix = "probe-";
constexpr std::string_view kSuffix = "@monitor.invalid";
constexpr std::size_t kNameBytes = 8;

}  // namespace

std::string make_probe_address() {
  return std::string{kPrefix} + random_hex(kNameBytes) + std::string{kSuffix};
}

bool is_probe_address(std::string_view email) {
  if (email.size() != kPrefix.size() + 2 * kNameBytes + kSuffix.size()) return false;
  if (!email.starts_with(kPrefix) || !email.ends_with(kSuffix)) return false;
  return std::ranges::all_of(email.substr(kPrefix.size(), 2 * kNameBytes), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

Probe::Probe(std::string email, std::chrono::nanoseconds bound)
    : email_{std::move(email)},
      bound_{bound},
      by_email_{std::make_shared<WatchedKey>(WatchedKey::of_email(email_, bound))} {}

std::vector<Probe::KeyRef> Probe::keys() const {
  std::vector<KeyRef> all{by_email_};
  for (const KeyRef& key : {by_id_, by_former_id_})
    if (key) all.push_back(key);
  return all;
}

std::optional<std::int64_t> Probe::id() const {
  if (!by_id_) return std::nullopt;
  return id_;
}

Probe::Write::Kind Probe::next_kind() const {
  if (!by_id_) return Write::Kind::create;
  return changes_ < kChangesPerLife ? Write::Kind::change : Write::Kind::remove;
}

Probe::Write Probe::begin_write() {
  kind_ = next_kind();
  writing_ = true;
  if (kind_ == Write::Kind::create) {
    may_exist_ = true;
    by_email_->user_may_appear(life_ + 1);
  } else if (kind_ == Write::Kind::remove) {
    by_email_->history().absence_may_begin(life_ + 1);
    by_id_->history().absence_may_begin(2);
  }
  return {.kind = kind_, .number = ++writes_, .id = id_};
}

void Probe::created(const WriteResult& result, std::size_t instance, BootTime now) {
  const auto life = by_email_->life_of(result.user.id);
  if (life != life_ + 1) {  // a read saw another user at the address
    retired_ = true;
    return;
  }
  life_ = *life;
  id_ = result.user.id;
  changes_ = 0;
  by_id_ = std::make_shared<WatchedKey>(WatchedKey::of_id(id_, bound_));
  by_email_->history().acknowledge({.life = life_, .version = result.user.version}, instance, now);
  by_id_->history().acknowledge({.life = 1, .version = result.user.version}, instance, now);
}

void Probe::removed(std::size_t instance, BootTime now) {
  ++life_;
  may_exist_ = false;
  by_email_->history().acknowledge({.life = life_}, instance, now);
  by_id_->history().acknowledge({.life = 2}, instance, now);
  by_former_id_ = std::move(by_id_);
  by_id_ = nullptr;
}

void Probe::end_write(const WriteResult& result, std::size_t instance, BootTime now) {
  using Outcome = WriteResult::Outcome;
  writing_ = false;
  const bool is_change = kind_ == Write::Kind::change;
  if (result.outcome == Outcome::gone || (result.outcome == Outcome::unknown && !is_change)) {
    retired_ = true;
    return;
  }
  if (result.outcome == Outcome::not_done && kind_ == Write::Kind::create) may_exist_ = false;
  if (result.outcome == Outcome::unknown) ++changes_;
  if (result.outcome != Outcome::done) return;
  switch (kind_) {
    case Write::Kind::create:
      return created(result, instance, now);
    case Write::Kind::remove:
      return removed(instance, now);
    case Write::Kind::change:
      ++changes_;
      by_email_->history().acknowledge({.life = life_, .version = result.user.version}, instance,
                                       now);
      by_id_->history().acknowledge({.life = 1, .version = result.user.version}, instance, now);
  }
}

}  // namespace um
