// Changing and removing users: read, decide, compare-and-set, and again if another change was
// faster.
#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/random.hpp"
#include "service/users.hpp"

namespace um {

namespace {

// Of many changes of one user at the same time each round of the database lets one through.
constexpr int kMaxAttempts = 50;
// The longest pause between them is this many times the first one.
constexpr int kLongestByFirst = 128;

// Full jitter: changes that lost to the same one do not all come back at the same moment.
Backoff between_attempts(std::chrono::nanoseconds longest) {
  return Backoff{{.first = longest / kLongestByFirst, .most = longest}, Backoff::Jitter::full};
}

bool matches(const std::optional<RevisionMatch>& match, const Revision& revision) {
  return !match || match->any || std::ranges::count(match->revisions, revision) > 0;
}

std::unexpected<Error> changed_since_read() {
  return fail(ErrorCode::precondition_failed, "the user has changed since it was read");
}

std::unexpected<Error> lost_every_time() {
  return fail(ErrorCode::conflict, "other changes of this user were faster; try again");
}

std::unexpected<Error> wrong_current_password() {
  return fail(Error{.code = ErrorCode::invalid,
                    .detail = "the current password is wrong",
                    .fields = {{"current_password", "wrong", "is not the current password"}}});
}

}  // namespace

Task<Result<UserReading>> Users::existing(UserId id, Freshness freshness, Deadline deadline) {
  const ReadOptions options{.from_primary = freshness == Freshness::primary,
                            .deadline = store_deadline(deadline)};
  Result<UserReading> reading = co_await parts_.store.find(id, options);
  if (reading && !reading->value) co_return fail(ErrorCode::not_found, "no such user");
  co_return reading;
}

Task<Result<Users::Decision>> Users::decide(const ChangeRequest& request, Editing editing,
                                            Freshness freshness, Deadline deadline) {
  while (true) {
    const Result<UserReading> reading = co_await existing(request.id, freshness, deadline);
    if (!reading) co_return fail(reading.error());
    const bool final = freshness == Freshness::primary || reading->source == Source::primary;
    freshness = Freshness::primary;

    // First, because what does not fit a row that has changed is said to be outdated, not wrong.
    if (!matches(request.if_match, reading->value->revision)) {
      if (!final) continue;
      co_return changed_since_read();
    }
    Result<Edit> edit = plan_edit(reading->value->user, request.input, editing);
    if (!edit) {
      if (!final && depends_on_row(edit.error())) continue;
      co_return fail(std::move(edit.error()));
    }
    // No compare-and-set would find out that the row is old.
    if (!final && edit->change.empty() && !edit->password) continue;
    co_return Decision{.row = reading->value, .edit = std::move(*edit)};
  }
}

Task<bool> Users::pause_before(int attempt, Backoff& backoff, Deadline deadline) {
  if (attempt >= kMaxAttempts) co_return false;
  const std::chrono::nanoseconds pause = backoff.pause(random_u64());
  if (deadline.at - parts_.clock.now() <= pause) co_return false;
  if (pause.count() > 0) {
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer{executor, pause};
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  co_return true;
}

// The auth_epoch for which the password was right.
Task<Result<std::int64_t>> Users::prove_password(const User& user, const ChangeRequest& request,
                                                 Deadline deadline) {
  // Not by the address, which its owner may change for a new allowance. No address has a line
  // break.
  AttemptLimiter::Who who{.account = "\nid:" + user.id.text(), .address = request.address};
  auto place = co_await parts_.limiter.take(std::move(who), deadline);
  if (!place) co_return fail(std::move(place.error()));

  const auto credentials = co_await parts_.store.credentials(user.id, store_deadline(deadline));
  if (!credentials) co_return fail(credentials.error());
  if (!*credentials) co_return fail(ErrorCode::not_found, "no such user");
  const Credentials& stored = **credentials;

  std::optional<Secret> hash;
  if (!stored.password_hash.empty()) hash = stored.password_hash;
  const Result<bool> right =
      co_await parts_.hasher.verify(*request.input.current_password.value, hash, deadline);
  if (!right) co_return fail(right.error());
  if (!*right) {
    (*place)->failed();
    co_return wrong_current_password();
  }
  (*place)->succeeded();
  co_return stored.user->user.auth_epoch;
}

Task<Result<UserRef>> Users::change(Principal caller, EditKind kind, ChangeRequest request,
                                    Deadline deadline) {
  const Editing editing{
      .kind = kind, .by_admin = caller.is_admin(), .of_oneself = caller.id() == request.id};
  Result<Decision> decision = co_await decide(request, editing, Freshness::any, deadline);
  if (!decision) co_return fail(std::move(decision.error()));

  // The expensive part, once, and only for what is not refused already.
  std::optional<Secret> new_hash;
  std::optional<std::int64_t> proven_epoch;
  if (decision->edit.password) {
    if (editing.of_oneself) {
      const Result<std::int64_t> epoch =
          co_await prove_password(decision->row->user, request, deadline);
      if (!epoch) co_return fail(epoch.error());
      proven_epoch = *epoch;
    }
    Result<Secret> hash = co_await parts_.hasher.hash(*decision->edit.password, deadline);
    if (!hash) co_return fail(std::move(hash.error()));
    new_hash = std::move(*hash);
  }

  // Another epoch: the row is older than the proof.
  if (proven_epoch && decision->row->user.auth_epoch != *proven_epoch) {
    decision = co_await decide(request, editing, Freshness::primary, deadline);
    if (!decision) co_return fail(std::move(decision.error()));
  }

  Backoff backoff = between_attempts(options_.longest_pause);
  for (int attempt = 1;; ++attempt) {
    // Still another one: the password was changed after the proof.
    if (proven_epoch && decision->row->user.auth_epoch != *proven_epoch)
      co_return lost_every_time();

    UpdateUser update{.id = request.id,
                      .expected = decision->row->revision,
                      .change = std::move(decision->edit.change)};
    update.change.password_hash = new_hash;
    if (new_hash && editing.of_oneself) update.change.keep_session = caller.session().id;
    if (update.change.empty()) co_return decision->row;
    Result<UserRef> updated =
        co_await parts_.store.update(std::move(update), store_deadline(deadline));
    if (updated || updated.error().code != ErrorCode::conflict) co_return updated;

    const bool again = co_await pause_before(attempt, backoff, deadline);
    if (!again) co_return lost_every_time();
    decision = co_await decide(request, editing, Freshness::primary, deadline);
    if (!decision) co_return fail(std::move(decision.error()));
  }
}

Task<Result<void>> Users::remove(UserId id, std::optional<RevisionMatch> if_match,
                                 Deadline deadline) {
  if (!if_match) {
    UserStore::RemoveUser request{.id = id};
    Result<void> removed =
        co_await parts_.store.remove(std::move(request), store_deadline(deadline));
    co_return removed;
  }
  // A mismatch with a row from memory and a lost compare-and-set both ask the primary once more.
  Freshness freshness = Freshness::any;
  Backoff backoff = between_attempts(options_.longest_pause);
  for (int attempt = 1;; ++attempt) {
    const Result<UserReading> reading = co_await existing(id, freshness, deadline);
    if (!reading) co_return fail(reading.error());
    const bool final = freshness == Freshness::primary || reading->source == Source::primary;
    freshness = Freshness::primary;
    if (!matches(if_match, reading->value->revision)) {
      if (!final) continue;
      co_return changed_since_read();
    }
    UserStore::RemoveUser request{.id = id, .expected = reading->value->revision};
    Result<void> removed =
        co_await parts_.store.remove(std::move(request), store_deadline(deadline));
    if (removed || removed.error().code != ErrorCode::conflict) co_return removed;

    const bool again = co_await pause_before(attempt, backoff, deadline);
    if (!again) co_return lost_every_time();
  }
}

}  // namespace um
