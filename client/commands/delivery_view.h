// How deliveries look.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include "client/output/table.h"
#include "client/session.h"
#include "odoopoller/v1/delivery.pb.h"

namespace poller::client {

// "pending", "dead", ... in its colour.
Cell StatusCell(api::DeliveryStatus status);
void PrintDeliveries(Session& session,
                     const google::protobuf::RepeatedPtrField<api::Delivery>& deliveries);
void AddDelivery(const Session& session, const api::Delivery& delivery, Fields& fields);
void PrintAttempts(Session& session,
                   const google::protobuf::RepeatedPtrField<api::DeliveryAttempt>& attempts);
// "S00042 r2 (delivery 17)".
std::string Named(const api::Delivery& delivery);

}  // namespace poller::client
