#include "core/storage/sqlite/sqlite_order_store.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "core/base/status.h"
#include "core/storage/sqlite/codes.h"
#include "core/storage/sqlite/delivery_rows.h"

namespace poller {
namespace {

constexpr int kRevisionsShown = 100;

#define POLLER_HEAD_SELECT                                                                     \
  "SELECT h.connection_id, h.order_id, h.name, h.revision, h.content_hash, h.write_date, "     \
  "h.line_write_date, h.condition, h.young, h.observed_at, h.delivery_id, c.name FROM head h " \
  "JOIN connection c ON c.id = h.connection_id AND c.deleted = 0 "

absl::StatusOr<OrderSummary> ReadSummary(Database& db, const Query& query) {
  OrderSummary summary;
  summary.connection = query.As<ConnectionId>(0);
  summary.connection_name = query.Text(11);
  OrderHead& head = summary.head;
  head.order = query.As<OrderId>(1);
  head.name = query.Text(2);
  head.revision = static_cast<int>(query.Int(3));
  head.content_hash = query.Text(4);
  head.write_date = query.Text(5);
  head.line_write_date = query.Text(6);
  head.condition = FromCode<OrderCondition>(query.Int(7));
  head.young = query.Bool(8);
  head.observed_at = query.TimeOr(9, absl::InfinitePast());
  head.delivery = query.As<DeliveryId>(10);
  ASSIGN_OR_RETURN(const std::optional<DeliveryRow> row, FindDelivery(db, head.delivery));
  if (!row) return absl::DataLossError("a head names a delivery that does not exist");
  head.status = row->delivery.status;
  summary.delivery = row->delivery;
  return summary;
}

// The smallest text that is greater than every text with this prefix; empty: there is none.
std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty()) {
    const auto last = static_cast<unsigned char>(prefix.back());
    if (last < 0xff) {
      prefix.back() = static_cast<char>(last + 1);
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

Query HeadsOf(Database& db, std::optional<ConnectionId> connection, const std::string& prefix,
              std::int64_t below, int limit) {
  if (!prefix.empty()) {
    // By the index on names; the matches are few and are sorted.
    return db.Run(POLLER_HEAD_SELECT
                  "WHERE h.name >= ?1 AND h.name < ?2 AND (?3 IS NULL OR h.connection_id = ?3) "
                  "AND +h.delivery_id < ?4 ORDER BY +h.delivery_id DESC LIMIT ?5",
                  prefix, PrefixEnd(prefix), connection, below, limit);
  }
  if (connection) {
    return db.Run(POLLER_HEAD_SELECT
                  "WHERE h.connection_id = ?1 AND h.delivery_id < ?2 "
                  "ORDER BY h.delivery_id DESC LIMIT ?3",
                  *connection, below, limit);
  }
  return db.Run(POLLER_HEAD_SELECT "WHERE h.delivery_id < ?1 ORDER BY h.delivery_id DESC LIMIT ?2",
                below, limit);
}

absl::Status NoSuchOrder(ConnectionId connection, OrderId order, const std::string& name) {
  return WithReason(
      MakeStatus(absl::StatusCode::kNotFound,
                 "connection " + std::to_string(connection.value()) + " knows no order " +
                     (order ? std::to_string(order.value()) : "named " + name)),
      "ORDER_NOT_FOUND");
}

absl::StatusOr<OrderSummary> FindSummary(Database& db, ConnectionId connection, OrderId order,
                                         const std::string& name) {
  Query query =
      order
          ? db.Run(POLLER_HEAD_SELECT "WHERE h.connection_id = ?1 AND h.order_id = ?2", connection,
                   order)
          : db.Run(POLLER_HEAD_SELECT
                   "WHERE h.connection_id = ?1 AND h.name = ?2 ORDER BY h.delivery_id DESC LIMIT 1",
                   connection, name);
  if (query.Next()) return ReadSummary(db, query);
  RETURN_IF_ERROR(query.status());
  return NoSuchOrder(connection, order, name);
}

}  // namespace

absl::StatusOr<std::vector<OrderSummary>> SqliteOrderStore::ListOrders(
    std::optional<ConnectionId> connection, const std::string& name_prefix, DeliveryId before,
    int limit) {
  const std::int64_t below = before ? before.value() : std::numeric_limits<std::int64_t>::max();
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<std::vector<OrderSummary>> {
    std::vector<OrderSummary> list;
    Query query = HeadsOf(db, connection, name_prefix, below, limit);
    while (query.Next()) {
      ASSIGN_OR_RETURN(OrderSummary summary, ReadSummary(db, query));
      list.push_back(std::move(summary));
    }
    RETURN_IF_ERROR(query.status());
    return list;
  });
}

absl::StatusOr<OrderDetails> SqliteOrderStore::GetOrder(ConnectionId connection, OrderId order,
                                                        const std::string& name) {
  return context_.readers.Read([&](Database& db) -> absl::StatusOr<OrderDetails> {
    OrderDetails details;
    ASSIGN_OR_RETURN(const ConnectionRef ref, FindConnection(db, connection));
    ASSIGN_OR_RETURN(details.summary, FindSummary(db, connection, order, name));
    ASSIGN_OR_RETURN(const std::vector<DeliveryRow> rows,
                     ReadRevisions(db, connection, details.summary.head.order, kRevisionsShown));
    for (const DeliveryRow& row : rows) {
      DeliveryDetails revision;
      revision.delivery = row.delivery;
      revision.connection_name = ref.name;
      revision.webhook_connection_id =
          row.webhook_connection_id.empty() ? ref.WebhookConnectionId() : row.webhook_connection_id;
      revision.unmappable = row.unmappable;
      ASSIGN_OR_RETURN(revision.attempts, ReadAttempts(db, row.delivery.id));
      details.revisions.push_back(std::move(revision));
    }
    return details;
  });
}

}  // namespace poller
