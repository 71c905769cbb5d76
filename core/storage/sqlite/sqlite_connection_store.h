// ConnectionStore on SQLite.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/storage/connection_store.h"
#include "core/storage/sqlite/context.h"

namespace poller {

class SqliteConnectionStore final : public ConnectionStore {
 public:
  explicit SqliteConnectionStore(const StoreContext& context) : context_(context) {}
  absl::StatusOr<Connection> Create(const ConnectionSettings& settings, const Actor& actor,
                                    absl::Time now) override;
  absl::StatusOr<ConnectionWithState> Get(ConnectionId id) override;
  absl::StatusOr<ConnectionWithState> GetByName(const std::string& name) override;
  absl::StatusOr<std::vector<ConnectionWithState>> List(ConnectionId after, int limit) override;
  absl::StatusOr<std::vector<ConnectionWithState>> ListIn(ConnectionOrder order,
                                                          const ConnectionPlace& after,
                                                          int limit) override;
  absl::StatusOr<Connection> Update(const ConnectionUpdate& update, const Actor& actor,
                                    absl::Time now) override;
  absl::StatusOr<Connection> SetPaused(ConnectionId id, std::optional<bool> polling,
                                       std::optional<bool> delivery, const Actor& actor,
                                       absl::Time now) override;
  absl::StatusOr<Rotated> RotateSecret(const SecretChange& change, const Actor& actor,
                                       absl::Time now) override;
  absl::Status ResetCircuits(ConnectionId id, const Actor& actor, absl::Time now) override;
  absl::StatusOr<int> EndRotations(absl::Time now, int limit) override;
  absl::Status Delete(ConnectionId id, bool force, const Actor& actor, absl::Time now) override;
  absl::Status RecordPoll(ConnectionId id, const LastPoll& poll, absl::Time now) override;
  absl::Status SaveBreaker(ConnectionId id, Leg leg, const BreakerRecord& record,
                           absl::Time now) override;
  absl::Status SaveOdooSession(ConnectionId id, std::int64_t odoo_uid,
                               const std::string& odoo_version, OdooProtocol in_use) override;
  absl::Status SaveKeyExpiry(ConnectionId id, std::optional<absl::Time> expires_at,
                             absl::Time now) override;
  absl::Status Suspend(ConnectionId id, const Suspension& suspension) override;
  absl::Status EndSuspension(ConnectionId id, const Actor& actor, absl::Time now) override;
  absl::Status SetReceiverGone(ConnectionId id, std::optional<absl::Time> since) override;

  // Removes what is left of deleted connections, in steps.
  absl::Status Purge();

 private:
  const StoreContext& context_;
};

}  // namespace poller
