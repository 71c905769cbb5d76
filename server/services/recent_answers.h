// Answers that are given again to a repeated request.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/status.h"

namespace poller {

// For calls whose repeat must not act twice and whose answer no store keeps. In memory: a restart
// forgets. Thread-safe.
template <class Response>
class RecentAnswers {
 public:
  static constexpr absl::Duration kKept = absl::Hours(24);
  static constexpr std::size_t kMax = 1000;

  // Nothing: act, then Finish. An answer: give it. kAlreadyExists (reason REQUEST_ID_REUSED): `key`
  // was used with another `request`; kAborted (reason REQUEST_RUNNING): the first call still runs.
  // `now` is monotonic.
  absl::StatusOr<std::optional<Response>> Begin(const std::string& key, const std::string& request,
                                                absl::Duration now) {
    absl::MutexLock lock(&mu_);
    while (!order_.empty() && (order_.size() >= kMax || order_.front().second + kKept <= now)) {
      entries_.erase(order_.front().first);
      order_.pop_front();
    }
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
      entries_[key] = {request, std::nullopt};
      order_.emplace_back(key, now);
      return std::optional<Response>();
    }
    if (found->second.request != request) {
      return WithReason(absl::AlreadyExistsError("the request id was used for a different request"),
                        "REQUEST_ID_REUSED");
    }
    if (!found->second.response) {
      return WithReason(
          absl::AbortedError("the first call with this request id still runs; repeat in a moment"),
          "REQUEST_RUNNING");
    }
    return found->second.response;
  }

  // Keeps the answer; an error is forgotten, so that a repeat tries again.
  void Finish(const std::string& key, const absl::StatusOr<Response>& result) {
    absl::MutexLock lock(&mu_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    if (result.ok()) {
      found->second.response = *result;
    } else {
      entries_.erase(found);  // its place in order_ passes by without harm
    }
  }

 private:
  struct Entry {
    std::string request;
    std::optional<Response> response;
  };
  absl::Mutex mu_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::deque<std::pair<std::string, absl::Duration>> order_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller
