// One subscriber of the event log.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/events/event_broker.h"
#include "odoopoller/v1/sync_log_service.pb.h"
#include "server/rpc/call.h"
#include "server/rpc/stream.h"
#include "server/services/service_context.h"

namespace poller {

using EventStreamReactor = rpc::StreamReactor<odoopoller::v1::StreamSyncEventsRequest,
                                              odoopoller::v1::StreamSyncEventsResponse>;

// Sends what happens until the caller goes, its token is revoked, its place in the log is lost, or
// the server stops. It holds a few events at a time: a slow client waits in the log, not in memory.
// Used by one coroutine, once.
class EventStream {
 public:
  // `context` outlives it.
  EventStream(const ServiceContext& context, rpc::Call call, std::string authorization,
              odoopoller::v1::StreamSyncEventsRequest request,
              std::shared_ptr<EventStreamReactor> stream);
  // How the stream ends; never OK.
  Task<absl::Status> Run();

 private:
  Task<absl::StatusOr<EventFilter>> Filter();
  Task<absl::Status> Follow(std::shared_ptr<EventSubscription> subscription);
  Task<absl::Status> Send(const SyncEvent& event);
  Task<absl::Status> SendHeartbeat(EventSequence scanned);
  Task<absl::Status> Write(odoopoller::v1::StreamSyncEventsResponse response);
  Task<absl::Status> AddPayload(DeliveryId delivery, odoopoller::v1::DeliveryOutcome& outcome);
  Task<absl::Status> WithRange(absl::Status status);

  const ServiceContext& context_;
  const rpc::Call call_;
  const std::string authorization_;
  const odoopoller::v1::StreamSyncEventsRequest request_;
  const std::shared_ptr<EventStreamReactor> stream_;
  std::string log_id_;
  absl::Duration last_heartbeat_ = -absl::InfiniteDuration();  // monotonic
};

}  // namespace poller
