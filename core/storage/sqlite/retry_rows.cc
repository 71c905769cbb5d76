#include "core/storage/sqlite/retry_rows.h"

#include <algorithm>
#include <functional>

#include "core/base/status.h"

namespace poller {
namespace {

// Values of the column `retry`.
constexpr int kFailed = 1;  // and pending
constexpr int kDead = 2;

#define POLLER_NOT_DELETED \
  "AND NOT EXISTS (SELECT 1 FROM connection c WHERE c.id = d.connection_id AND c.deleted = 1) "

absl::StatusOr<std::vector<DeliveryId>> Ids(Query query) {
  std::vector<DeliveryId> ids;
  while (query.Next()) ids.push_back(query.As<DeliveryId>(0));
  RETURN_IF_ERROR(query.status());
  return ids;
}

Query IdsBefore(Database& db, int kind, const DeliveryFilter& filter, std::int64_t below,
                int limit) {
  if (filter.connection) {
    return db.Run(
        "SELECT d.id FROM delivery d WHERE d.connection_id = ?1 AND d.retry = ?2 "
        "AND d.id < ?3 " POLLER_NOT_DELETED "ORDER BY d.id DESC LIMIT ?4",
        *filter.connection, kind, below, limit);
  }
  return db.Run("SELECT d.id FROM delivery d WHERE d.retry = ?1 AND d.id < ?2 " POLLER_NOT_DELETED
                "ORDER BY d.id DESC LIMIT ?3",
                kind, below, limit);
}

Query IdsAfter(Database& db, int kind, const DeliveryFilter& filter, DeliveryId after, int limit) {
  if (filter.connection) {
    return db.Run(
        "SELECT d.id FROM delivery d WHERE d.connection_id = ?1 AND d.retry = ?2 "
        "AND d.id > ?3 " POLLER_NOT_DELETED "ORDER BY d.id LIMIT ?4",
        *filter.connection, kind, after, limit);
  }
  return db.Run("SELECT d.id FROM delivery d WHERE d.retry = ?1 AND d.id > ?2 " POLLER_NOT_DELETED
                "ORDER BY d.id LIMIT ?3",
                kind, after, limit);
}

// The first `limit` of two sorted lists.
template <class Less>
std::vector<DeliveryId> Merge(const std::vector<DeliveryId>& a, const std::vector<DeliveryId>& b,
                              int limit, Less less) {
  std::vector<DeliveryId> merged;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged), less);
  if (merged.size() > static_cast<std::size_t>(limit))
    merged.resize(static_cast<std::size_t>(limit));
  return merged;
}

absl::StatusOr<std::int64_t> One(Query query) {
  std::int64_t value = 0;
  if (query.Next()) value = query.Int(0);
  RETURN_IF_ERROR(query.status());
  return value;
}

}  // namespace

absl::StatusOr<std::vector<DeliveryId>> RetriesBefore(Database& db, const DeliveryFilter& filter,
                                                      std::int64_t below, int limit) {
  ASSIGN_OR_RETURN(const auto dead, Ids(IdsBefore(db, kDead, filter, below, limit)));
  if (filter.dead_only) return dead;
  ASSIGN_OR_RETURN(const auto failed, Ids(IdsBefore(db, kFailed, filter, below, limit)));
  return Merge(dead, failed, limit, std::greater<>());
}

absl::StatusOr<std::vector<DeliveryId>> RetriesAfter(Database& db, const DeliveryFilter& filter,
                                                     DeliveryId after, int limit) {
  ASSIGN_OR_RETURN(const auto dead, Ids(IdsAfter(db, kDead, filter, after, limit)));
  if (filter.dead_only) return dead;
  ASSIGN_OR_RETURN(const auto failed, Ids(IdsAfter(db, kFailed, filter, after, limit)));
  return Merge(dead, failed, limit, std::less<>());
}

absl::StatusOr<std::int64_t> CountRetries(Database& db, const DeliveryFilter& filter) {
  const int least = filter.dead_only ? kDead : kFailed;
  ASSIGN_OR_RETURN(
      const std::int64_t all,
      One(filter.connection
              ? db.Run("SELECT count(*) FROM delivery d WHERE d.connection_id = ?1 "
                       "AND d.retry >= ?2 " POLLER_NOT_DELETED,
                       *filter.connection, least)
              : db.Run("SELECT count(*) FROM delivery d WHERE d.retry >= ?1 " POLLER_NOT_DELETED,
                       least)));
  ASSIGN_OR_RETURN(const std::int64_t in_flight,
                   One(db.Run("SELECT count(*) FROM delivery d INDEXED BY delivery_in_flight WHERE "
                              "d.claimed <> 0 AND (?1 IS NULL OR d.connection_id = ?1) "
                              "AND d.retry >= ?2 " POLLER_NOT_DELETED,
                              filter.connection, least)));
  return all - in_flight;
}

}  // namespace poller
