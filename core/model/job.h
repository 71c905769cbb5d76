// Work over a stretch of a connection's history, kept until it is done.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/model/event.h"
#include "core/model/ids.h"

namespace poller {

// The numbers are stored: never change or reuse one.
enum class JobKind {
  kBackfill = 1,   // delivers what the range holds and was never delivered
  kReconcile = 2,  // compares the range with what was delivered
};
// "backfill", "reconcile"; empty for an unknown number.
std::string_view JobKindName(JobKind kind);

// The numbers are stored.
enum class JobState { kQueued = 1, kRunning = 2, kSucceeded = 3, kFailed = 4, kCancelled = 5 };
// "queued", ...; empty for an unknown number.
std::string_view JobStateName(JobState state);
// The state does not change any more.
bool IsOver(JobState state);

// What to do. Fixed when the job is made.
struct JobSpec {
  JobKind kind = JobKind::kBackfill;
  ConnectionId connection;
  // Orders with date_order in [since, until), Odoo's clock, whole seconds.
  absl::Time since = absl::InfinitePast();
  absl::Time until = absl::InfiniteFuture();
  int last = 0;         // kBackfill: only the newest N of the range; 0: all of it
  bool repair = false;  // kReconcile: deliver what is missing or differs
};

// An order of which we hold something else than Odoo does.
struct JobDifference {
  OrderId order;
  std::string name;
  std::string what;  // a stable word: "missing", "differs", "undelivered", "gone", "unreadable",
                     // "changing"
};

// How far it came. Every batch of orders is committed before the place moves past it, so that a
// crash repeats at most one batch, whose orders are then equal to what is known.
struct JobProgress {
  OrderId after;  // orders up to this id are done
  // JobSpec::last: the oldest of the newest N, fixed when they were counted, so that the set stays
  // the same however often the job is resumed. InfinitePast: not counted yet, or all of the range.
  absl::Time oldest_date = absl::InfinitePast();
  OrderId oldest_order;        // of those of that very second, the smallest id that belongs to them
  std::int64_t total = -1;     // orders in the range when it was counted; -1: not counted yet
  std::int64_t listed = 0;     // done so far
  std::int64_t enqueued = 0;   // deliveries that the job caused
  std::int64_t unchanged = 0;  // equal to what is known
  std::int64_t dead = 0;       // could not be read or mapped
  std::int64_t baseline = 0;   // kReconcile: from before the start, and nobody asked for them
  std::int64_t differences = 0;                  // kReconcile: orders that differ
  std::vector<JobDifference> first_differences;  // the first 100 of them
  std::string waits_for;  // why it stands still, a word of the API; empty: it does not
};

struct Job {
  JobId id;
  JobSpec spec;
  std::string connection_name;
  JobState state = JobState::kQueued;
  JobProgress progress;
  std::string error;      // kFailed: why, safe to show
  std::string requested;  // the token's name; "start_from" for what a new connection asks for
  absl::Time created_at;
  absl::Time updated_at;
  absl::Time finished_at = absl::InfinitePast();  // never: InfinitePast
};

}  // namespace poller
