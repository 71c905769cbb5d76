// What the pollers of all connections share.
#pragma once

#include "core/async/sleeper.h"
#include "core/async/task_group.h"
#include "core/base/random_source.h"
#include "core/http/http_client.h"
#include "core/polling/ingest_lane.h"
#include "core/polling/order_ingest.h"
#include "core/polling/polling_metrics.h"
#include "core/polling/polling_options.h"
#include "core/storage/job_store.h"
#include "core/storage/sync_log_store.h"

namespace poller {

// Everything outlives the pollers.
struct PollerContext {
  IngestDeps ingest;
  SyncLogStore& sync_logs;
  JobStore& jobs;
  HttpClient& http;
  Sleeper& sleeper;
  RandomSource& random;
  TaskGroup& tasks;
  PollingMetrics& metrics;
  LaneRegistry& turns;
  const PollingOptions& options;
};

}  // namespace poller
