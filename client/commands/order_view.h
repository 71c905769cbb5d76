// How orders look, and how they are found.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <string>

#include "client/session.h"
#include "odoopoller/v1/order_service.pb.h"

namespace poller::client {

// Up to `limit` orders, the most recently changed first. `connection` and `prefix` may be empty.
grpc::Status ListOrders(Session& session, const std::string& connection, const std::string& prefix,
                        std::int64_t limit, api::ListOrdersResponse& response);
// With `numbered`, the first column counts from 1 for a person to choose.
void PrintOrders(Session& session, const google::protobuf::RepeatedPtrField<api::Order>& orders,
                 bool numbered);

}  // namespace poller::client
