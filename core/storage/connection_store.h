// Connections: their settings, and what the service knows of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/connection.h"
#include "core/model/event.h"
#include "core/storage/secret_change.h"

namespace poller {

struct ConnectionWithState {
  Connection connection;
  ConnectionState state;
};

// The order of a list; where it leaves a choice, by id.
enum class ConnectionOrder {
  kId,
  kName,
  kOldestWaiting,  // who waits longest comes first, who waits for nothing last
  kLastPoll,       // the longest ago first, never before all
};

// The place of a row in a list: ids alone do not say it in another order.
struct ConnectionPlace {
  ConnectionId id;  // 0: before the first
  std::string key;  // of ConnectionKey; empty for kId
};
// What the list is ordered by, as text. Pure.
std::string ConnectionKey(ConnectionOrder order, const ConnectionWithState& row);

struct ConnectionUpdate {
  ConnectionId id;
  std::int64_t expected_version = 0;  // 0: any
  ConnectionSettings settings;        // all of them, validated
  std::vector<std::string> changed;   // field names, for the event
  bool end_suspension = false;        // credentials changed: try again at once
  bool reset_odoo = false;            // another Odoo: marks, heads and the login start anew
};

// The part of ConnectionStore that time alone asks for.
class SecretRotations {
 public:
  virtual ~SecretRotations() = default;
  // Removes the previous secrets of rotations that are over at `now`, at most `limit`; how many.
  virtual absl::StatusOr<int> EndRotations(absl::Time now, int limit) = 0;
};

// Thread-safe. Blocking: call through Offload. Every change that a person asked for writes its
// event in the same transaction. Errors of every call: kUnavailable (busy or disk full; safe to
// repeat), kDataLoss (stop, call a human).
class ConnectionStore : public SecretRotations {
 public:
  // kAlreadyExists (reason NAME_TAKEN): another connection has the name. A repeat with the same
  // non-empty actor.request_id within 24 h gives the connection that the first call made.
  virtual absl::StatusOr<Connection> Create(const ConnectionSettings& settings, const Actor& actor,
                                            absl::Time now) = 0;
  // kNotFound.
  virtual absl::StatusOr<ConnectionWithState> Get(ConnectionId id) = 0;
  virtual absl::StatusOr<ConnectionWithState> GetByName(const std::string& name) = 0;
  // By id, ids greater than `after`; at most `limit`.
  virtual absl::StatusOr<std::vector<ConnectionWithState>> List(ConnectionId after, int limit) = 0;
  // In that order, behind `after`. A row that moves while pages are read may be seen twice or not
  // at all; others are seen once. kInvalidArgument: a key that is not of this order.
  virtual absl::StatusOr<std::vector<ConnectionWithState>> ListIn(ConnectionOrder order,
                                                                  const ConnectionPlace& after,
                                                                  int limit) = 0;
  // kNotFound; kAborted (reason ETAG_MISMATCH): the version is another; kAlreadyExists: the name.
  virtual absl::StatusOr<Connection> Update(const ConnectionUpdate& update, const Actor& actor,
                                            absl::Time now) = 0;
  // Pauses or resumes; unset legs stay as they are. Rises the version. kNotFound.
  virtual absl::StatusOr<Connection> SetPaused(ConnectionId id, std::optional<bool> polling,
                                               std::optional<bool> delivery, const Actor& actor,
                                               absl::Time now) = 0;
  // Changes the secret of its webhooks as ChangeSecret says, with its errors; the previous one
  // stays beside it for the overlap. kNotFound; kAborted (reason ETAG_MISMATCH). A repeat with the
  // same actor.request_id within 24 h changes nothing.
  struct Rotated {
    ConnectionWithState now;
    bool repeated = false;  // the secret given now is not in use
  };
  virtual absl::StatusOr<Rotated> RotateSecret(const SecretChange& change, const Actor& actor,
                                               absl::Time now) = 0;
  // Closes both breakers and ends a suspension and "receiver gone", with the events of what changed
  // and, always, kCircuitReset. kNotFound.
  virtual absl::Status ResetCircuits(ConnectionId id, const Actor& actor, absl::Time now) = 0;
  // Removes it with its heads, deliveries and logs; events stay. kNotFound; kFailedPrecondition
  // (reason UNDELIVERED_ORDERS) with the count when orders wait or are dead, unless `force`.
  virtual absl::Status Delete(ConnectionId id, bool force, const Actor& actor, absl::Time now) = 0;

  // --- what the service notes; kNotFound when the connection is gone ---
  // Writes the row alone when nothing changed for a reader: no event. The first failure after a
  // success writes kPollFailed, the first success after a failure kPollRecovered.
  virtual absl::Status RecordPoll(ConnectionId id, const LastPoll& poll, absl::Time now) = 0;
  // Stores the breaker; a change of `state` writes its event.
  virtual absl::Status SaveBreaker(ConnectionId id, Leg leg, const BreakerRecord& record,
                                   absl::Time now) = 0;
  virtual absl::Status SaveOdooSession(ConnectionId id, std::int64_t odoo_uid,
                                       const std::string& odoo_version, OdooProtocol in_use) = 0;
  // When the user's first API key ends; nothing: unknown, or never. The first call less than
  // kKeyWarning before an end, or after it, writes kKeyExpiring, once for each end.
  virtual absl::Status SaveKeyExpiry(ConnectionId id, std::optional<absl::Time> expires_at,
                                     absl::Time now) = 0;
  // Writes kConnectionSuspended, or nothing if it is suspended for that reason already.
  virtual absl::Status Suspend(ConnectionId id, const Suspension& suspension) = 0;
  // Ends a suspension and "receiver gone", with kConnectionResumed if there was one. `actor` may be
  // empty: the service itself.
  virtual absl::Status EndSuspension(ConnectionId id, const Actor& actor, absl::Time now) = 0;
  // Writes kReceiverGone when it begins.
  virtual absl::Status SetReceiverGone(ConnectionId id, std::optional<absl::Time> since) = 0;
};

}  // namespace poller
