#include "service/users.hpp"

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
    return invalid({"keyword", "too_long", "must have at most 254 characters"});
  if (keyword.find('\0') != std::string::npos)
    return invalid({"keyword", "nul_character", "must not contain the character U+0000"});
  return {};
}

Result<void> check_usage(const UsageRecord& usage) {
  if (usage.amount.negative()) return invalid({"usd", "negative", "must not be negative"});
  const auto& key = usage.idempotency_key;
  if (key && (key->empty() || key->size() > kMaxIdempotencyKeyBytes))
    return invalid({"Idempotency-Key", "bad_length", "must have 1 to 255 bytes"});
  return {};
}

}  // namespace

// No account and no client address has a line end, so these names meet none of a sign-in.
Task<Result<Users::LimiterPlace>> Users::place_to_register(Email email, std::string address,
                                                           Deadline deadline) {
  AttemptLimiter::Who who{.account = "register\n" + email.folded(),
                          .address = "register\n" + address_group(address)};
  Result<LimiterPlace> place = co_await parts_.limiter.take(std::move(who), deadline);
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

  Result<Secret> hash = co_await parts_.hasher.hash(creation.password, deadline);
  if (!hash) co_return fail(std::move(hash.error()));
  creation.user.password_hash = std::move(*hash);
  Result<UserRef> created =
      co_await parts_.store.insert(std::move(creation.user), store_deadline(deadline));
  co_return created;
}

Task<Result<UserRef>> Users::create(Caller caller, CreateRequest request, Deadline deadline) {
  const bool by_admin = caller && caller->is_admin();
  if (options_.registration == Registration::admin && !by_admin)
    co_return fail(caller ? ErrorCode::forbidden : ErrorCode::unauthenticated,
                   "only an administrator may create users");
  Result<Creation> creation = plan_creation(request.input, {.by_admin = by_admin});
  if (!creation) co_return fail(std::move(creation.error()));

  LimiterPlace place;
  if (!by_admin) {
    Result<LimiterPlace> taken =
        co_await place_to_register(creation->user.email, std::move(request.address), deadline);
    if (!taken) co_return fail(std::move(taken.error()));
    place = std::move(*taken);
  }
  Result<UserRef> created = co_await insert_new(std::move(*creation), deadline);
  // To the limiter what uses up the allowance is a failure. That an address is taken is news too.
  const bool counts = created || created.error().code == ErrorCode::email_taken ||
                      created.error().code == ErrorCode::username_taken;
  if (place && counts) place->failed();
  co_return created;
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
