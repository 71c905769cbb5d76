// The orders of a job's range, by rising id.
#pragma once

#include <deque>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "core/model/job.h"
#include "core/polling/order_ingest.h"

namespace poller {

// Begins behind the job's place. Used by one coroutine, in steps of its ingest. Errors: those of
// Odoo.
class RangeListing {
 public:
  RangeListing(const JobSpec& spec, int page_size) : spec_(spec), page_size_(page_size) {}

  // Counts the range into `progress`, and fixes which are the newest N.
  Task<absl::Status> Count(OrderIngest& ingest, JobProgress& progress) const;
  // Lists the next page, unless rows are left or all were listed.
  Task<absl::Status> Fill(OrderIngest& ingest, const JobProgress& progress);

  // What was listed and not taken yet. The caller takes from the front.
  std::deque<odoo::ListedOrder>& rows() { return rows_; }
  // Nothing follows `rows`.
  bool complete() const { return complete_; }
  // A step failed: what it took is to be listed again.
  void Rewind() {
    rows_.clear();
    complete_ = false;
  }

 private:
  odoo::DateRange Range(const JobProgress& progress) const;

  const JobSpec spec_;
  int page_size_;
  std::deque<odoo::ListedOrder> rows_;
  bool complete_ = false;
};

}  // namespace poller
