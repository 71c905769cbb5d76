// Coroutines of this program: Boost.Asio awaitables.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace poller {

// Runs when awaited or spawned (task_group.h). Every chain of tasks runs on one strand: two steps
// of one chain never run at the same time, and nothing is locked across a co_await.
template <class T>
using Task = boost::asio::awaitable<T>;
using Executor = boost::asio::any_io_executor;

}  // namespace poller
