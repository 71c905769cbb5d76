// What the end of a pass means for its connection. Pure; thread-safe.
//
//   the pass ended with            Odoo's breaker   what else
//   success                        success          ends a suspension
//   server down, garbage, database
//   missing, too much, query,
//   protocol gone                  failure
//   rate limited                   -                nothing before Retry-After has passed
//   no memory or socket of ours    -                nothing for 10 s
//   credentials                    -                the second in a row suspends
//   rights, or fields that we need -                suspends at once
//   our own store, a stop, an edit -
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace poller {

enum class BreakerEffect { kNone, kSuccess, kFailure };

struct PassVerdict {
  BreakerEffect breaker = BreakerEffect::kNone;
  bool credentials_refused = false;
  // Suspend with this stable word and message; empty: do not.
  std::string suspend_reason, suspend_message;
  absl::Duration hold;  // nothing before that has passed
};

// `credentials_refused_before`: the pass before ended so too.
PassVerdict JudgePass(const absl::Status& end, bool credentials_refused_before);

// The error ended the pass without saying anything about the connection: a stop, an edit of its
// settings, its deletion.
bool IsInterruption(const absl::Status& end);
absl::Status StoppingError();
absl::Status SettingsChangedError();
absl::Status DiskFullError();  // kUnavailable (reason DISK_LOW)
absl::Status HeldError();      // work behind the polls: they do not run at present

// A short word for the class of an error: for metrics and to tell whether an error is the same as
// the last.
std::string FailureClass(const absl::Status& end);

// When the pass after the one that started at `start` begins, all on the monotonic clock: start to
// start, spread by ±`jitter`; ticks that passed while it ran are left out. `unit` in [0, 1) is the
// random draw.
absl::Duration NextStart(absl::Duration start, absl::Duration now, absl::Duration interval,
                         double jitter, double unit);

}  // namespace poller
