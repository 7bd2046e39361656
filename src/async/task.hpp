// Task<T>: a coroutine of the event loops. Every task has an owner that awaits or joins it, and
// every reference passed to one must outlive it.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace um {

template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace um
