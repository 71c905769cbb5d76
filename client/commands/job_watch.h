// Follows a job to its end.
#pragma once

#include <cstdint>

#include "client/session.h"

namespace poller::client {

// Shows a job's progress on standard error until it is over, then the job on standard output; with
// jsonl each message on standard output instead. A connection that is lost is made again. An
// interrupt (kInterrupted) and the end of --timeout (kUnfinished) detach: the job goes on, which is
// said. Else: kDone; kRefused if the job failed or was cancelled; kUnhealthy if a reconcile without
// repair found differences.
int WatchJob(Session& session, std::int64_t job);

}  // namespace poller::client
