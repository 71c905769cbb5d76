#include "server/services/retry_queue_service.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "server/rpc/convert_delivery.h"
#include "server/rpc/page_token.h"
#include "server/rpc/status_conversion.h"
#include "server/rpc/unary.h"

namespace poller {
namespace {

namespace v1 = odoopoller::v1;

constexpr std::size_t kMaxReason = 500;

absl::Status CheckDelivery(std::int64_t id) {
  return id > 0 ? absl::OkStatus()
                : InvalidFields({{"delivery_id", "must be the id of a delivery"}});
}

absl::Status AsDeliveryError(const absl::Status& status, DeliveryId id) {
  if (status.code() != absl::StatusCode::kNotFound) return status;
  const std::string message =
      "there is no delivery " + std::to_string(id.value()) + ", or it is no longer kept";
  return WithMetadata(
      WithReason(MakeStatus(absl::StatusCode::kNotFound, message), "DELIVERY_NOT_FOUND"),
      "delivery", std::to_string(id.value()));
}

Task<absl::StatusOr<DeliveryDetails>> FindDelivery(const ServiceContext& context, DeliveryId id) {
  auto get = [&context, id] { return context.outbox.Get(id); };
  auto found = co_await Blocking(context, std::move(get));
  if (!found.ok()) co_return AsDeliveryError(found.status(), id);
  co_return found;
}

// A dead letter whose record could not be mapped has no body to send again: its order is read from
// Odoo once more. Gives the newest delivery of the order after that.
Task<absl::StatusOr<DeliveryDetails>> ReadAgain(const ServiceContext& context, DeliveryDetails dead,
                                                Actor actor, StillWanted wanted) {
  const ConnectionId connection = dead.delivery.connection;
  const OrderId order = dead.delivery.order;
  ResendRequest resend;
  resend.ids.push_back(order);
  const auto result = co_await context.scheduler.Resend(connection, std::move(resend),
                                                        std::move(actor), std::move(wanted));
  if (!result.ok()) co_return AsOdooError(result.status(), connection);
  if (result->found.empty() && result->dead == 0) {
    co_return WithReason(
        absl::FailedPreconditionError("Odoo no longer has the order as a confirmed one"),
        "NOT_RETRYABLE");
  }
  auto get = [&context, connection, order] {
    return context.orders.GetOrder(connection, order, {});
  };
  const auto details = co_await Blocking(context, std::move(get));
  if (!details.ok()) co_return AsDeliveryError(details.status(), dead.delivery.id);
  co_return co_await FindDelivery(context, details->summary.delivery.id);
}

// Reads the orders of dead letters that could not be mapped once more, shop by shop. Gives how many
// are deliveries now; a shop whose Odoo cannot be read keeps its dead letters and stops no other. An
// error of `wanted`, if it came before the last of them.
Task<absl::StatusOr<int>> ReadAllAgain(const ServiceContext& context,
                                       std::vector<UnmappableDelivery> dead, Actor actor,
                                       StillWanted wanted) {
  std::map<ConnectionId, ResendRequest> shops;
  for (const UnmappableDelivery& delivery : dead)
    shops[delivery.connection].ids.push_back(delivery.order);
  int mapped = 0;
  for (auto& [connection, resend] : shops) {
    CO_RETURN_IF_ERROR(wanted());
    const auto result =
        co_await context.scheduler.Resend(connection, std::move(resend), actor, wanted);
    if (!result.ok()) {
      CO_RETURN_IF_ERROR(wanted());
      continue;
    }
    mapped += static_cast<int>(result->recorded + result->requeued);
    context.dispatcher.Hint(connection);
  }
  co_return mapped;
}

}  // namespace

grpc::ServerUnaryReactor* RetryQueueServiceImpl::ListRetries(grpc::CallbackServerContext* context,
                                                             const v1::ListRetriesRequest* request,
                                                             v1::ListRetriesResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &RetryQueueServiceImpl::List);
}

grpc::ServerUnaryReactor* RetryQueueServiceImpl::GetRetry(grpc::CallbackServerContext* context,
                                                          const v1::GetRetryRequest* request,
                                                          v1::GetRetryResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &RetryQueueServiceImpl::Get);
}

grpc::ServerUnaryReactor* RetryQueueServiceImpl::RetryDelivery(
    grpc::CallbackServerContext* context, const v1::RetryDeliveryRequest* request,
    v1::RetryDeliveryResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &RetryQueueServiceImpl::Retry);
}

grpc::ServerUnaryReactor* RetryQueueServiceImpl::RetryDeliveries(
    grpc::CallbackServerContext* context, const v1::RetryDeliveriesRequest* request,
    v1::RetryDeliveriesResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &RetryQueueServiceImpl::RetryMany);
}

grpc::ServerUnaryReactor* RetryQueueServiceImpl::DiscardDelivery(
    grpc::CallbackServerContext* context, const v1::DiscardDeliveryRequest* request,
    v1::DiscardDeliveryResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &RetryQueueServiceImpl::Discard);
}

Task<absl::StatusOr<v1::ListRetriesResponse>> RetryQueueServiceImpl::List(
    rpc::Call, v1::ListRetriesRequest request) {
  CO_ASSIGN_OR_RETURN(const rpc::Page page, rpc::ReadPage(request));
  DeliveryFilter filter;
  filter.dead_only = request.dead();
  CO_ASSIGN_OR_RETURN(filter.connection, co_await FindFilter(context_, request.has_connection(),
                                                             request.connection()));
  auto list = [this, filter, page] {
    return context_.outbox.ListRetries(filter, DeliveryId(page.after), page.size + 1);
  };
  CO_ASSIGN_OR_RETURN(const auto rows, co_await Blocking(context_, std::move(list)));
  v1::ListRetriesResponse response;
  rpc::FillPage(request, page, rows, *response.mutable_deliveries(), response,
                [](const DeliveryDetails& row) {
                  return std::pair(row.delivery.id.value(), rpc::ToProto(row));
                });
  co_return response;
}

Task<absl::StatusOr<v1::GetRetryResponse>> RetryQueueServiceImpl::Get(rpc::Call,
                                                                      v1::GetRetryRequest request) {
  CO_RETURN_IF_ERROR(CheckDelivery(request.delivery_id()));
  CO_ASSIGN_OR_RETURN(const auto details,
                      co_await FindDelivery(context_, DeliveryId(request.delivery_id())));
  co_return rpc::RetryToProto(details);
}

Task<absl::StatusOr<v1::RetryDeliveryResponse>> RetryQueueServiceImpl::Retry(
    rpc::Call call, v1::RetryDeliveryRequest request) {
  CO_RETURN_IF_ERROR(CheckDelivery(request.delivery_id()));
  const DeliveryId id(request.delivery_id());
  auto retry = [this, id, actor = call.ActorFor(request)] {
    return context_.outbox.Retry(id, actor, context_.clock.Read());
  };
  const auto retried = co_await Blocking(context_, std::move(retry));
  const bool unmappable = Reason(retried.status()) == "UNMAPPABLE";
  if (!retried.ok() && !unmappable) co_return AsDeliveryError(retried.status(), id);
  CO_ASSIGN_OR_RETURN(auto details, co_await FindDelivery(context_, id));
  if (unmappable) {
    CO_ASSIGN_OR_RETURN(details, co_await ReadAgain(context_, std::move(details),
                                                    call.ActorFor(request), call.Wanted()));
  }
  context_.dispatcher.Hint(details.delivery.connection);
  v1::RetryDeliveryResponse response;
  *response.mutable_delivery() = rpc::ToProto(details);
  co_return response;
}

Task<absl::StatusOr<v1::RetryDeliveriesResponse>> RetryQueueServiceImpl::RetryMany(
    rpc::Call call, v1::RetryDeliveriesRequest request) {
  CO_ASSIGN_OR_RETURN(const rpc::Page page, rpc::ReadPage(request));
  DeliveryFilter filter;
  filter.dead_only = request.dead();
  CO_ASSIGN_OR_RETURN(filter.connection, co_await FindFilter(context_, request.has_connection(),
                                                             request.connection()));
  v1::RetryDeliveriesResponse response;
  if (request.validate_only()) {
    auto count = [this, filter] { return context_.retries.Count(filter); };
    CO_ASSIGN_OR_RETURN(const std::int64_t matching, co_await Blocking(context_, std::move(count)));
    response.set_matching_count(matching);
    co_return response;
  }
  auto retry = [this, filter, page, actor = call.ActorFor(request)] {
    return context_.retries.RetryMany(filter, DeliveryId(page.after), page.size, actor,
                                      context_.clock.Read());
  };
  CO_ASSIGN_OR_RETURN(const RetryStep step, co_await Blocking(context_, std::move(retry)));
  for (const ConnectionId connection : step.connections) context_.dispatcher.Hint(connection);
  const int unmappable = static_cast<int>(step.unmappable.size());
  // What was cut short is not kept as the answer to this request id: a repeat does the rest.
  CO_ASSIGN_OR_RETURN(
      const int mapped,
      co_await ReadAllAgain(context_, step.unmappable, call.ActorFor(request), call.Wanted()));
  response.set_retried_count(step.retried + mapped);
  response.set_skipped_count(step.skipped + std::max(0, unmappable - mapped));
  if (!step.done) response.set_next_page_token(rpc::PageToken(request, step.last.value()));
  co_return response;
}

Task<absl::StatusOr<v1::DiscardDeliveryResponse>> RetryQueueServiceImpl::Discard(
    rpc::Call call, v1::DiscardDeliveryRequest request) {
  CO_RETURN_IF_ERROR(CheckDelivery(request.delivery_id()));
  if (request.reason().size() > kMaxReason)
    co_return InvalidFields({{"reason", "is longer than 500 bytes"}});
  const DeliveryId id(request.delivery_id());
  auto discard = [this, id, why = request.reason(), actor = call.ActorFor(request)] {
    return context_.outbox.Discard(id, why, actor, context_.clock.Now());
  };
  const auto discarded = co_await Blocking(context_, std::move(discard));
  if (!discarded.ok()) co_return AsDeliveryError(discarded.status(), id);
  CO_ASSIGN_OR_RETURN(const auto details, co_await FindDelivery(context_, id));
  v1::DiscardDeliveryResponse response;
  *response.mutable_delivery() = rpc::ToProto(details);
  co_return response;
}

}  // namespace poller
