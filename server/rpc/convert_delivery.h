// Deliveries and orders as the API shows them.
#pragma once

#include "absl/status/statusor.h"
#include "core/model/delivery.h"
#include "core/storage/outbox_store.h"
#include "odoopoller/v1/delivery.pb.h"
#include "odoopoller/v1/order.pb.h"
#include "odoopoller/v1/retry_queue_service.pb.h"
#include "server/rpc/convert_common.h"

namespace poller::rpc {

odoopoller::v1::DeliveryStatus ToProto(DeliveryStatus status);
odoopoller::v1::Delivery ToProto(const DeliveryDetails& details);
odoopoller::v1::DeliveryAttempt ToProto(const DeliveryAttempt& attempt);
odoopoller::v1::Order ToProto(const OrderSummary& order);
odoopoller::v1::OrderRevision RevisionToProto(const DeliveryDetails& details);

// The body as it is sent, or would be. Empty if the order could not be mapped or its content is no
// longer kept. kDataLoss: stored content that we did not write.
absl::StatusOr<CutText> BodyOf(const DeliveryDetails& details);

// With body, attempts and, if it could not be mapped, the raw record.
absl::StatusOr<odoopoller::v1::GetRetryResponse> RetryToProto(const DeliveryDetails& details);

}  // namespace poller::rpc
