#include "client/commands/order_view.h"

#include "client/commands/connection_view.h"
#include "client/commands/delivery_view.h"
#include "client/paging.h"
#include "odoopoller/v1/order_service.grpc.pb.h"

namespace poller::client {

grpc::Status ListOrders(Session& session, const std::string& connection, const std::string& prefix,
                        std::int64_t limit, api::ListOrdersResponse& response) {
  api::ListOrdersRequest request;
  if (!connection.empty()) *request.mutable_connection() = ParseConnectionRef(connection);
  request.set_name_prefix(prefix);
  const auto stub = session.Stub<api::OrderService>();
  return ListUpTo(
      session, *stub, &api::OrderService::Stub::ListOrders, request, response, limit,
      [](const api::ListOrdersResponse& all) -> std::int64_t { return all.orders_size(); });
}

void PrintOrders(Session& session, const google::protobuf::RepeatedPtrField<api::Order>& orders,
                 bool numbered) {
  Table table({{numbered ? "#" : "ODOO ID", true},
               {"ORDER"},
               {"CONNECTION", false, true},
               {"REV", true},
               {"STATUS"},
               {"SINCE"},
               {"ERROR", false, true, true}});
  int number = 0;
  for (const api::Order& order : orders) {
    Cell status = StatusCell(order.status());
    if (order.condition() == api::ORDER_CONDITION_CANCELLED) status.text += " (cancelled)";
    table.Add({std::to_string(numbered ? ++number : order.order_id()), order.name(),
               order.connection_name(), std::to_string(order.revision()), status,
               Ago(session, order.update_time()), order.last_error()});
  }
  table.Print(numbered ? session.io().err : session.io().out, session.look());
}

}  // namespace poller::client
