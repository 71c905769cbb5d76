// One pass over a shop that found something or failed.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "core/model/ids.h"

namespace poller {

struct SyncLog {
  SyncLogId id;
  ConnectionId connection;
  std::string connection_name;
  std::string kind;  // "poll", "sweep", "lines", "resend", "start", "backfill", "reconcile"
  absl::Time started_at;
  absl::Duration duration;
  std::int64_t listed = 0;     // orders that Odoo named
  std::int64_t recorded = 0;   // new revisions
  std::int64_t unchanged = 0;  // read, equal to what we have
  std::int64_t dead = 0;       // could not be mapped
  std::string error;           // empty: complete
};

}  // namespace poller
