// One connection's polls, for as long as it exists.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/model/event.h"
#include "core/model/job.h"
#include "core/polling/background_work.h"
#include "core/polling/ingest_lane.h"
#include "core/polling/odoo_facts.h"
#include "core/polling/odoo_link.h"
#include "core/polling/order_ingest.h"
#include "core/polling/pass_records.h"
#include "core/polling/poll_cycle.h"
#include "core/polling/poll_gate.h"
#include "core/polling/poller_context.h"
#include "core/polling/polling_options.h"

namespace poller {

// Thread-safe. The coroutines run on strands of their own, one pass at a time.
class ConnectionPoller : public std::enable_shared_from_this<ConnectionPoller> {
 public:
  ConnectionPoller(ConnectionId id, std::shared_ptr<const PollerContext> context);

  // Polls until the connection is deleted or the server stops. `spread`: the first pass comes at a
  // random moment of the interval.
  Task<void> Run(bool spread);
  // Look at the settings again, and poll if nothing speaks against it.
  void Refresh();
  void Stop();
  // See Scheduler.
  Task<absl::StatusOr<PassResult>> PollNow(StillWanted wanted);
  Task<absl::StatusOr<ResendResult>> Resend(ResendRequest request, Actor actor, StillWanted wanted);
  Task<absl::Status> Reset(Actor actor);
  void JobsChanged();
  Task<absl::StatusOr<std::int64_t>> CountOrders(JobSpec spec, StillWanted wanted);

 private:
  // What is stored now. The gate and the client follow it.
  Task<absl::StatusOr<ConnectionWithState>> Load();
  // Starts what is due behind the polls; else says how long until then.
  absl::Duration Attend();
  static Task<void> RunBackground(std::shared_ptr<ConnectionPoller> self);
  BackgroundWork::Host BackgroundHost();
  // Runs a pass if one is due; else says how long until then.
  Task<absl::StatusOr<absl::Duration>> Turn();
  // The caller holds `passes_`.
  Task<absl::StatusOr<PassResult>> RunPass(ConnectionWithState connection, bool forced);
  Task<absl::Status> RunParts(ConnectionWithState connection, bool lines, PassResult& result);
  Task<absl::Status> MakeStartJob(Connection connection, absl::Time started);
  // What follows from the end of a pass: breaker, suspension, session, records, logs.
  Task<void> Settle(ConnectionWithState connection, EndedPass pass);
  Task<void> SaveBreaker();
  IngestSubject Subject(ConnectionWithState connection);

  const ConnectionId id_;
  const std::shared_ptr<const PollerContext> context_;
  const std::shared_ptr<IngestLane> lane_ = std::make_shared<IngestLane>();
  IngestLane passes_;  // one pass at a time
  Wakeup wakeup_;
  absl::Mutex
      saving_;  // held while the breaker is stored, so that the one stored last is the newest
  BreakerRecord saved_ ABSL_GUARDED_BY(saving_);

  absl::Mutex mu_;
  PollGate gate_ ABSL_GUARDED_BY(mu_);
  OdooLink link_ ABSL_GUARDED_BY(mu_);
  // What of the client's orders was torn lately.
  std::shared_ptr<TornOrders> torn_ ABSL_GUARDED_BY(mu_);
  std::weak_ptr<odoo::Client> torn_of_ ABSL_GUARDED_BY(mu_);
  bool hurry_ ABSL_GUARDED_BY(mu_) = false;              // somebody asked to look again
  std::vector<OrderId> undecided_ ABSL_GUARDED_BY(mu_);  // by others than the polls
  PassRecords records_;
  BackgroundWork background_;

  // Touched by whoever holds `passes_`.
  PassMemory memory_;
  std::weak_ptr<odoo::Client> memory_of_;  // the Odoo that `memory_` is about
  OdooFacts facts_;
  absl::Duration lines_due_ = -absl::InfiniteDuration();
};

}  // namespace poller
