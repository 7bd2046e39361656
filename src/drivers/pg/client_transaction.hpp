// The body of Client::transaction, included by client.hpp.
#pragma once

#include <boost/asio/this_coro.hpp>

#include "drivers/pg/client.hpp"

namespace um::pg {
namespace detail {

template <class T>
inline constexpr bool kIsResult = false;
template <class T>
inline constexpr bool kIsResult<Result<T>> = true;

// Whether what work returned asks for a commit.
template <class T>
bool keeps(const Outcome<T>& made) {
  if constexpr (kIsResult<T>) {
    return made.has_value() && made->has_value();
  } else {
    return made.has_value();
  }
}

}  // namespace detail

template <class T, class Work>
Task<Outcome<T>> Client::transaction(Deadline deadline, Work work) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Attempts attempts{.deadline = deadline};
  for (;;) {
    auto transaction = begin(attempts, executor);
    Outcome<T> made = co_await work(*transaction);
    if (transaction->failure() == nullptr && detail::keeps(made)) {
      const Outcome<void> committed = co_await transaction->commit();
      if (committed) co_return made;
    }
    if (transaction->failure() == nullptr) co_return made;  // work itself said no

    Failure failure = *transaction->failure();
    transaction.reset();  // rolls back, and gives the connection to whoever is next
    const Next next = co_await after_failure(attempts, failure);
    if (next == Next::again) continue;
    // What a refusal means only work can tell; everything else is a fact about the connection.
    if (failure.kind == Failure::refused && !detail::keeps(made)) co_return made;
    co_return failed(std::move(failure));
  }
}

}  // namespace um::pg
