#include "core/model/job.h"

namespace poller {

std::string_view JobKindName(JobKind kind) {
  switch (kind) {
    case JobKind::kBackfill:
      return "backfill";
    case JobKind::kReconcile:
      return "reconcile";
  }
  return "";
}

std::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "queued";
    case JobState::kRunning:
      return "running";
    case JobState::kSucceeded:
      return "succeeded";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "";
}

bool IsOver(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed ||
         state == JobState::kCancelled;
}

}  // namespace poller
