// Connections as rows: what the stores share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/storage/connection_store.h"
#include "core/storage/sqlite/vault.h"
#include "core/storage/sqlite/writer.h"

namespace poller {

// What a change of an order or delivery needs to know of its connection.
struct ConnectionRef {
  ConnectionId id;
  std::string uid;
  std::string name;
  std::string external_id;
  int generation = 1;
  std::int64_t version = 0;

  const std::string& WebhookConnectionId() const { return external_id.empty() ? uid : external_id; }
};

absl::Status NoSuchConnection(ConnectionId id);
// Deleted ones are not there. kNotFound.
absl::StatusOr<ConnectionRef> FindConnection(Database& db, ConnectionId id);
// kNotFound.
absl::StatusOr<ConnectionId> IdOfName(Database& db, const std::string& name);
// kAlreadyExists (reason NAME_TAKEN).
absl::Status NameTaken(const std::string& name);
// ConnectionState::held_since is set.
absl::StatusOr<bool> IsHeld(Database& db, ConnectionId id);

// Those with an id greater than `after`, by id.
absl::StatusOr<std::vector<ConnectionWithState>> ReadConnections(Database& db, const Vault& vault,
                                                                 ConnectionId after, int limit);
// Those behind `after` in that order.
absl::StatusOr<std::vector<ConnectionWithState>> ReadConnectionsIn(Database& db, const Vault& vault,
                                                                   ConnectionOrder order,
                                                                   const ConnectionPlace& after,
                                                                   int limit);
// kNotFound.
absl::StatusOr<ConnectionWithState> ReadConnection(Database& db, const Vault& vault,
                                                   ConnectionId id);

// Writes every setting of the row, which exists.
absl::Status WriteSettings(Database& db, const Vault& vault, const std::string& uid,
                           const ConnectionSettings& settings, absl::Time now);
// A new connection, with its event. kAlreadyExists (reason NAME_TAKEN).
absl::StatusOr<ConnectionRef> InsertConnection(Transaction& transaction, const Vault& vault,
                                               const ConnectionSettings& settings,
                                               const Actor& actor, absl::Time now);

// Writes the secret of the webhooks and the rotation as they stand in `connection`, and raises the
// version.
absl::Status WriteSecret(Database& db, const Vault& vault, const Connection& connection,
                         absl::Time now);
// Removes the previous secret, if there is one.
absl::Status EndRotation(Database& db, ConnectionId id);

// Appends an event about the connection.
absl::Status AppendConnectionEvent(Transaction& transaction, const ConnectionRef& connection,
                                   EventType type, EventDetail detail, absl::Time now);

// Stores the breaker of a leg, and an event if its state is another than before.
absl::Status WriteBreaker(Transaction& transaction, const ConnectionRef& connection, Leg leg,
                          const BreakerRecord& record, absl::Time now);

// Makes the connection invisible, wipes its secrets and writes kConnectionDeleted.
// kFailedPrecondition (reason UNDELIVERED_ORDERS).
absl::Status HideConnection(Transaction& transaction, const ConnectionRef& connection, bool force,
                            EventDetail detail, absl::Time now);
// Deletes some rows of hidden connections; true: there may be more.
absl::StatusOr<bool> PurgeStep(Database& db);

}  // namespace poller
