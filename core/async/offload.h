// Runs blocking work away from the coroutine that needs its result.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

#include "core/async/task.h"

namespace poller {

namespace internal {
template <class F>
Task<std::invoke_result_t<F>> CallOnPool(F work) {
  co_return work();
}
}  // namespace internal

// Calls `work` on `pool` and resumes on the caller's executor with its result. `work` owns what it
// uses, or refers to what outlives the call. Name the lambda before you pass it (g++ 12 destroys
// temporaries in a co_await expression twice).
template <class F>
Task<std::invoke_result_t<F>> Offload(Executor pool, F work) {
  auto task = internal::CallOnPool(std::move(work));
  co_return co_await boost::asio::co_spawn(pool, std::move(task), boost::asio::use_awaitable);
}

}  // namespace poller
