#include "server/services/event_stream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "server/rpc/convert_delivery.h"
#include "server/rpc/convert_event.h"
#include "server/rpc/status_conversion.h"

namespace poller {
namespace {

namespace v1 = odoopoller::v1;

constexpr int kEventsAtATime = 100;

absl::Status CallerGone() { return absl::CancelledError("the caller has gone"); }

absl::StatusOr<std::set<EventType>> TypesOf(const v1::StreamSyncEventsRequest& request) {
  std::set<EventType> types;
  for (const int number : request.types()) {
    const auto type = rpc::FromProto(static_cast<v1::EventType>(number));
    if (!type)
      return InvalidFields(
          {{"types", "has a type that this version does not know: " + std::to_string(number)}});
    types.insert(*type);
  }
  return types;
}

}  // namespace

EventStream::EventStream(const ServiceContext& context, rpc::Call call, std::string authorization,
                         v1::StreamSyncEventsRequest request,
                         std::shared_ptr<EventStreamReactor> stream)
    : context_(context),
      call_(std::move(call)),
      authorization_(std::move(authorization)),
      request_(std::move(request)),
      stream_(std::move(stream)) {}

Task<absl::Status> EventStream::Run() {
  if (request_.include_payload())
    CO_RETURN_IF_ERROR(call_.Require(Role::kOperator, "include_payload"));
  if (request_.after_sequence() < 0)
    co_return InvalidFields({{"after_sequence", "must not be negative"}});
  CO_ASSIGN_OR_RETURN(EventFilter filter, co_await Filter());
  auto range_of = [this] { return context_.events.Range(); };
  CO_ASSIGN_OR_RETURN(const EventRange range, co_await Blocking(context_, std::move(range_of)));
  log_id_ = range.log_id;
  std::optional<std::string> log_id;
  if (!request_.log_id().empty()) log_id = request_.log_id();
  std::optional<EventSequence> after;
  if (request_.has_after_sequence()) after = EventSequence(request_.after_sequence());
  auto subscribed = co_await context_.broker.Subscribe(std::move(log_id), after, std::move(filter));
  if (!subscribed.ok()) co_return co_await WithRange(subscribed.status());
  if (after) CO_RETURN_IF_ERROR(co_await SendHeartbeat(*after));
  const std::shared_ptr<EventSubscription> subscription = *std::move(subscribed);
  call_.state().OnCancel([subscription] { subscription->Cancel(); });
  absl::Status end = co_await Follow(subscription);
  call_.state().OnCancel(nullptr);
  co_return co_await WithRange(std::move(end));
}

Task<absl::StatusOr<EventFilter>> EventStream::Filter() {
  EventFilter filter;
  CO_ASSIGN_OR_RETURN(filter.types, TypesOf(request_));
  CO_ASSIGN_OR_RETURN(
      const auto connection,
      co_await FindFilter(context_, request_.has_connection(), request_.connection()));
  if (connection) filter.connections.insert(*connection);
  co_return filter;
}

Task<absl::Status> EventStream::Follow(std::shared_ptr<EventSubscription> subscription) {
  while (true) {
    const absl::Duration silence = context_.clock.Monotonic() - last_heartbeat_;
    const absl::Duration patience =
        std::clamp(context_.heartbeat - silence, absl::ZeroDuration(), context_.heartbeat);
    const auto batch = co_await subscription->Next(kEventsAtATime, patience);
    CO_RETURN_IF_ERROR(call_.StillWanted());
    // Nobody but the stop of the server cancels what its caller still wants.
    if (batch.status().code() == absl::StatusCode::kCancelled) co_return rpc::Draining();
    CO_RETURN_IF_ERROR(batch);
    for (const SyncEvent& event : batch->events) CO_RETURN_IF_ERROR(co_await Send(event));
    if (context_.clock.Monotonic() - last_heartbeat_ < context_.heartbeat) continue;
    CO_RETURN_IF_ERROR(co_await context_.gate.Recheck(authorization_));
    CO_RETURN_IF_ERROR(co_await SendHeartbeat(batch->scanned));
  }
}

Task<absl::Status> EventStream::Send(const SyncEvent& event) {
  // The log also holds what this API has no name for; heartbeats move past it.
  if (!v1::EventType_IsValid(static_cast<int>(event.type))) co_return absl::OkStatus();
  // Between two events of a batch a token may be revoked too.
  CO_RETURN_IF_ERROR(call_.StillWanted());
  v1::StreamSyncEventsResponse response;
  *response.mutable_event() = rpc::ToProto(event, log_id_);
  if (request_.include_payload() && rpc::CarriesPayload(event)) {
    CO_RETURN_IF_ERROR(co_await AddPayload(event.detail.delivery,
                                           *response.mutable_event()->mutable_delivery_outcome()));
  }
  co_return co_await Write(std::move(response));
}

Task<absl::Status> EventStream::SendHeartbeat(EventSequence scanned) {
  last_heartbeat_ = context_.clock.Monotonic();
  v1::StreamSyncEventsResponse response;
  response.mutable_heartbeat()->set_sequence(scanned.value());
  response.mutable_heartbeat()->set_log_id(log_id_);
  *response.mutable_heartbeat()->mutable_time() = rpc::ToProto(context_.clock.Now());
  co_return co_await Write(std::move(response));
}

Task<absl::Status> EventStream::Write(v1::StreamSyncEventsResponse response) {
  const bool sent = co_await stream_->Write(std::move(response));
  CO_RETURN_IF_ERROR(call_.StillWanted());
  co_return sent ? absl::OkStatus() : CallerGone();
}

Task<absl::Status> EventStream::AddPayload(DeliveryId delivery, v1::DeliveryOutcome& outcome) {
  auto get = [this, delivery] { return context_.outbox.Get(delivery); };
  const auto details = co_await Blocking(context_, std::move(get));
  if (details.status().code() == absl::StatusCode::kNotFound)
    co_return absl::OkStatus();  // no longer kept
  CO_RETURN_IF_ERROR(details);
  CO_ASSIGN_OR_RETURN(rpc::CutText body, rpc::BodyOf(*details));
  CO_RETURN_IF_ERROR(call_.StillWanted());  // reading it took a while
  outcome.set_payload(std::move(body.text));
  outcome.set_payload_truncated(body.truncated);
  co_return absl::OkStatus();
}

// Whoever asked for a place that there is not learns which there are.
Task<absl::Status> EventStream::WithRange(absl::Status status) {
  if (status.code() != absl::StatusCode::kOutOfRange) co_return status;
  auto range_of = [this] { return context_.events.Range(); };
  const auto range = co_await Blocking(context_, std::move(range_of));
  if (!range.ok()) co_return status;
  status = WithMetadata(std::move(status), "log_id", range->log_id);
  status =
      WithMetadata(std::move(status), "oldest_sequence", std::to_string(range->oldest.value()));
  co_return WithMetadata(std::move(status), "newest_sequence",
                         std::to_string(range->newest.value()));
}

}  // namespace poller
