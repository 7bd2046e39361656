#include "service/users.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace um {

namespace {

// Nothing that is searched is longer than an e-mail address.
constexpr std::size_t kMaxKeywordCharacters = Email::kMaxBytes;

std::unexpected<Error> invalid(FieldError field) {
  return fail(Error{.code = ErrorCode::invalid,
                    .detail = field.field + ' ' + field.message,
                    .fields = {std::move(field)}});
}

Result<void> check_keyword(const std::string& keyword) {
  const auto characters = count_code_points(keyword);
  if (!characters) return invalid({"keyword", "not_utf8", "must be valid UTF-8"});
  if (*characters > kMaxKeywordCharacters)
    return invalid({"keyword", "too_long",
                    fmt::format("must have at most {} characters", kMaxKeywordCharacters)});
  if (keyword.find('\0') != std::string::npos)
    return invalid({"keyword", "nul_character", "must not contain the character U+0000"});
  return {};
}

Result<void> check_usage(const UsageRecord& usage) {
  if (usage.amount.negative()) return invalid({"usd", "negative", "must not be negative"});
  const auto& key = usage.idempotency_key;
  if (key && (key->empty() || key->size() > kMaxIdempotencyKeyBytes))
    return invalid({"Idempotency-Key", "bad_length",
                    fmt::format("must have 1 to {} bytes", kMaxIdempotencyKeyBytes)});
  return {};
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

// These names differ from every name of a login: no account and no client address has a line end.
Task<Result<Users::LimiterPlace>> Users::place_to_register(Email email, std::string address,
                                                           Deadline deadline) {
  AttemptLimiter::Subject subject{.account = "register\n" + email.folded(),
                                  .address = "register\n" + address_group(address)};
  Result<LimiterPlace> place = co_await parts_.limiter.take(std::move(subject), deadline);
  if (!place && place.error().code == ErrorCode::too_many_attempts)
    place.error().detail = "too many registrations";
  co_return place;
}

Task<Result<UserRef>> Users::insert_new(Creation creation, Deadline deadline) {
  // The insert would find it out too, but only after the expensive hash.
  const ReadOptions options{.deadline = store_deadline(deadline)};
  const Result<UserReading> known = co_await parts_.store.find(creation.user.email, options);
  if (!known) co_return fail(known.error());
  if (known->value) co_return fail(ErrorCode::email_taken, "the e-mail address is taken");

  if (creation.password) {
    Result<Secret> hash = co_await parts_.hasher.hash(*creation.password, deadline);
    if (!hash) co_return fail(std::move(hash.error()));
    creation.user.password_hash = std::move(*hash);
  }
  Result<UserRef> created =
      co_await parts_.store.insert(std::move(creation.user), store_deadline(deadline));
  co_return created;
}

Task<Result<UserRef>> Users::create(Actor actor, CreateRequest request, Deadline deadline) {
  const bool by_admin = actor.is_admin();
  if (options_.registration == Registration::admin && !by_admin)
    co_return fail(actor.is_anonymous() ? ErrorCode::unauthenticated : ErrorCode::forbidden,
                   "only an administrator may create users");
  const Creating creating{.by_admin = by_admin,
                          .password_optional = by_admin && request.password_optional};
  Result<Creation> creation = plan_creation(request.input, creating);
  if (!creation) co_return fail(std::move(creation.error()));

  LimiterPlace place;
  if (!by_admin) {
    Result<LimiterPlace> taken =
        co_await place_to_register(creation->user.email, std::move(request.address), deadline);
    if (!taken) co_return fail(std::move(taken.error()));
    place = std::move(*taken);
  }
  Result<UserRef> created = co_await insert_new(std::move(*creation), deadline);
  // The limiter counts failures: a registration uses up the allowance like one. So does the answer
  // that an address is taken, which tells the client something.
  const bool counts = created || created.error().code == ErrorCode::email_taken ||
                      created.error().code == ErrorCode::username_taken;
  if (place && counts) place->failed();
  co_return created;
}

Task<Result<UserReading>> Users::existing(UserId id, Freshness freshness, Deadline deadline) {
  const ReadOptions options{.from_primary = freshness == Freshness::primary,
                            .deadline = store_deadline(deadline)};
  Result<UserReading> reading = co_await parts_.store.find(id, options);
  if (reading && !reading->value) co_return fail(ErrorCode::not_found, "no such user");
  co_return reading;
}

// What becomes of a row. Values only: a store may call it after its caller has given up.
struct Users::ChangePlan {
  UserInput input;
  std::optional<RevisionMatch> if_match;
  Editing editing;
  std::optional<Secret> new_hash{};
  std::optional<std::int64_t> proven_epoch{};  // for which current_password was right
  std::optional<SessionId> session{};          // stays alive through a change of the password

  Result<Edit> edit_of(const UserRecord& row) const {
    // Before the input is checked: for a row that has changed the answer is "outdated", not
    // "wrong".
    if (!matches(if_match, row.revision)) return changed_since_read();
    return plan_edit(row.user, input, editing);
  }
  Result<UserChange> operator()(const UserRecord& row) const {
    Result<Edit> edit = edit_of(row);
    if (!edit) return fail(std::move(edit.error()));
    // Another epoch: the password was changed after the proof.
    if (proven_epoch && row.user.auth_epoch != *proven_epoch) return lost_every_time();
    edit->change.password_hash = new_hash;
    if (new_hash) edit->change.keep_session = session;
    return std::move(edit->change);
  }
};

// The auth_epoch for which the password was right.
Task<Result<std::int64_t>> Users::prove_password(const User& user, const ChangeRequest& request,
                                                 Deadline deadline) {
  // Counted by id: the owner could change the address for a new allowance. No address has a line
  // break.
  AttemptLimiter::Subject subject{.account = "\nid:" + user.id.text(), .address = request.address};
  auto place = co_await parts_.limiter.take(std::move(subject), deadline);
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

Task<Result<UserRef>> Users::change(Actor actor, EditKind kind, ChangeRequest request,
                                    Deadline deadline) {
  if (actor.is_anonymous()) co_return fail(ErrorCode::unauthenticated, "nobody is signed in");
  const Principal* self = actor.principal();
  if (self != nullptr && self->id() != request.id) self = nullptr;
  const Editing editing{.kind = kind, .by_admin = actor.is_admin(), .of_oneself = self != nullptr};
  if (!editing.by_admin && !editing.of_oneself)
    co_return fail(ErrorCode::forbidden, "only the user and administrators may change it");
  Result<UserReading> reading = co_await existing(request.id, Freshness::any, deadline);
  if (!reading) co_return fail(std::move(reading.error()));
  ChangePlan plan{
      .input = request.input, .if_match = std::move(request.if_match), .editing = editing};

  // The expensive part, once, and only for a change that is not refused already. A row from memory
  // is enough for everything else: the store compares it with the stored one before it changes,
  // refuses or ignores anything.
  Result<Edit> edit = plan.edit_of(*reading->value);
  if (reading->source != Source::primary && edit && edit->password) {
    reading = co_await existing(request.id, Freshness::primary, deadline);
    if (!reading) co_return fail(std::move(reading.error()));
    edit = plan.edit_of(*reading->value);
  }
  if (edit && edit->password) {
    if (editing.of_oneself) {
      const Result<std::int64_t> epoch =
          co_await prove_password(reading->value->user, request, deadline);
      if (!epoch) co_return fail(epoch.error());
      plan.proven_epoch = *epoch;
    }
    Result<Secret> hash = co_await parts_.hasher.hash(*edit->password, deadline);
    if (!hash) co_return fail(std::move(hash.error()));
    plan.new_hash = std::move(*hash);
    if (self != nullptr) plan.session = self->session().id;
  }
  UpdateUser update{.id = request.id, .plan = std::move(plan), .known = reading->value};
  Result<UserRef> updated =
      co_await parts_.store.update(std::move(update), store_deadline(deadline));
  if (!updated && updated.error().code == ErrorCode::conflict) co_return lost_every_time();
  co_return updated;
}

Task<Result<void>> Users::remove(UserId id, std::optional<RevisionMatch> if_match,
                                 Deadline deadline) {
  const Result<UserReading> reading = co_await existing(id, Freshness::any, deadline);
  if (!reading) co_return fail(reading.error());
  UserStore::RemoveUser request{.id = id, .known = reading->value};
  request.allow = [match = std::move(if_match)](const UserRecord& row) -> Result<void> {
    if (!matches(match, row.revision)) return changed_since_read();
    return {};
  };
  Result<void> removed = co_await parts_.store.remove(std::move(request), store_deadline(deadline));
  if (!removed && removed.error().code == ErrorCode::conflict) co_return lost_every_time();
  co_return removed;
}

Task<Result<UserPage>> Users::list(ListRequest request, Deadline deadline) {
  const Result<void> checked = check_keyword(request.keyword);
  if (!checked) co_return fail(checked.error());

  // One more than asked for tells whether there are more.
  const auto wanted = static_cast<std::size_t>(request.page.limit);
  Page page = request.page;
  ++page.limit;
  Result<std::vector<UserRef>> users;
  if (request.keyword.empty()) {
    users = co_await parts_.store.list(page, store_deadline(deadline));
  } else {
    users = co_await parts_.store.search(request.keyword, page, store_deadline(deadline));
  }
  if (!users) co_return fail(std::move(users.error()));

  UserPage result{.users = std::move(*users)};
  if (result.users.size() > wanted) {
    result.more = true;
    result.users.resize(wanted);
  }
  if (request.count) {
    const Result<std::int64_t> total =
        co_await parts_.store.count(request.keyword, store_deadline(deadline));
    if (!total) co_return fail(total.error());
    result.total = *total;
  }
  co_return result;
}

Task<Result<UsageTotals>> Users::add_usage(UsageRecord usage, Deadline deadline) {
  const Result<void> checked = check_usage(usage);
  if (!checked) co_return fail(checked.error());
  Result<UsageTotals> totals =
      co_await parts_.store.add_usage(std::move(usage), store_deadline(deadline));
  co_return totals;
}

}  // namespace um
