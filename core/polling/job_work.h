// What a job does, batch by batch.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "core/model/job.h"
#include "core/polling/order_ingest.h"
#include "core/polling/polling_options.h"

namespace poller {

// Used by one coroutine.
class JobWork {
 public:
  virtual ~JobWork() = default;

  // How its orders are read and committed. The function it may hold lives as long as this.
  virtual OrderIngest::Manner Manner() = 0;
  // Counts the range, then does a batch a call, and moves `progress` behind what is committed. True:
  // the range is done. After an error `progress` is to be thrown away, and the batch comes again.
  // `ingest` has this work's manner.
  virtual Task<absl::StatusOr<bool>> Step(OrderIngest& ingest, JobProgress& progress) = 0;
};

// Delivers what the range holds and was never delivered, as history: orders that are unknown, and
// those that are only known as baseline. What is tracked already, or lies in the polls' window, is
// left to the polls.
std::unique_ptr<JobWork> MakeBackfill(const JobSpec& spec, const PollingOptions& options);

// Reads the range in full and compares it with what was recorded and delivered:
//
//   missing      Odoo has it, we do not know it
//   differs      our newest revision has another content
//   undelivered  equal, but dead, discarded or withdrawn
//   gone         we hold it for confirmed, Odoo has it not or not confirmed
//   unreadable   it cannot be read or mapped
//   changing     it changed each time it was read
//
// With `repair` each of these but the last two is delivered, or withdrawn; without, nothing is
// written. What lies in the polls' window is on its way and no difference, and neither is what was
// there before the connection began and `start_from` did not ask for: it is counted
// (JobProgress::baseline) and left alone.
std::unique_ptr<JobWork> MakeReconcile(const JobSpec& spec, const PollingOptions& options);

}  // namespace poller
