// What the end of an attempt says, about the order and about the receiver. Pure; thread-safe.
//
//   answer                          the order   the receiver's breaker  what else
//   2xx                             accepted    well
//   429, 503 with Retry-After       not blamed  says nothing            the leg is held until then
//   429 without                     not blamed  says nothing            backoff of the leg
//   410                             may blame   says nothing            gone [1]
//   401 403 404 408 425 5xx, 3xx    may blame   failed [1]
//   any other 4xx                   may blame   well [2]
//   not a status of HTTP            not blamed  failed
//   dns connect tls timeout ...     not blamed  failed
//   no memory or socket of ours     not blamed  says nothing            the leg is held for 5 s
//   cancelled by our own stop       not blamed  says nothing
//   [1] unless the order is blamed: then nothing
//   [2] it answered about one order
//
// A redirect is counted like 404: it is followed never, and says that the URL is wrong rather than
// the order. Whether the order is blamed is for the store to say: DeliveryOutcome::may_blame_order.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "core/http/http_client.h"

namespace poller {

struct AttemptVerdict {
  enum class Receiver {
    kWell,     // a success for the breaker
    kFailed,   // a failure for the breaker
    kSuspect,  // a failure, unless the order is to blame; then it says nothing
    kSilent,   // says nothing
  };
  bool accepted = false;
  bool answered = false;  // there was an answer with a status
  bool may_blame_order = false;
  Receiver receiver = Receiver::kFailed;
  // Retry-After, at least 1 s, at most `max_hold`; or how long we need ourselves.
  std::optional<absl::Duration> hold;
  bool rate_limited = false;  // 429 that does not say until when
  bool gone = false;          // 410
};

// `retry_after` and `date` are the headers of those names. A Retry-After that is a date is compared
// with the receiver's own `date` where it sent one, else with `now`; one that cannot be read counts
// as absent.
AttemptVerdict ClassifyAnswer(int status, std::optional<std::string_view> retry_after,
                              std::optional<std::string_view> date, absl::Time now,
                              absl::Duration max_hold);
AttemptVerdict ClassifyTransportFailure(TransportFailure failure);

}  // namespace poller
