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

namespace poller {

struct ConnectionWithState {
  Connection connection;
  ConnectionState state;
};

struct ConnectionUpdate {
  ConnectionId id;
  std::int64_t expected_version = 0;  // 0: any
  ConnectionSettings settings;        // all of them, validated
  std::vector<std::string> changed;   // field names, for the event
  bool end_suspension = false;        // credentials changed: try again at once
  bool reset_odoo = false;            // another Odoo: marks, heads and the login start anew
};

// Thread-safe. Blocking: call through Offload. Every change that a person asked for writes its
// event in the same transaction. Errors of every call: kUnavailable (busy or disk full; safe to
// repeat), kDataLoss (stop, call a human).
class ConnectionStore {
 public:
  virtual ~ConnectionStore() = default;

  // kAlreadyExists (reason NAME_TAKEN): another connection has the name. A repeat with the same
  // non-empty actor.request_id within 24 h gives the connection that the first call made.
  virtual absl::StatusOr<Connection> Create(const ConnectionSettings& settings, const Actor& actor,
                                            absl::Time now) = 0;
  // kNotFound.
  virtual absl::StatusOr<ConnectionWithState> Get(ConnectionId id) = 0;
  virtual absl::StatusOr<ConnectionWithState> GetByName(const std::string& name) = 0;
  // By id, ids greater than `after`; at most `limit`.
  virtual absl::StatusOr<std::vector<ConnectionWithState>> List(ConnectionId after, int limit) = 0;
  // kNotFound; kAborted (reason ETAG_MISMATCH): the version is another; kAlreadyExists: the name.
  virtual absl::StatusOr<Connection> Update(const ConnectionUpdate& update, const Actor& actor,
                                            absl::Time now) = 0;
  // Pauses or resumes; unset legs stay as they are. Rises the version. kNotFound.
  virtual absl::StatusOr<Connection> SetPaused(ConnectionId id, std::optional<bool> polling,
                                               std::optional<bool> delivery, const Actor& actor,
                                               absl::Time now) = 0;
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
                                       const std::string& odoo_version) = 0;
  // Writes kConnectionSuspended, or nothing if it is suspended for that reason already.
  virtual absl::Status Suspend(ConnectionId id, const Suspension& suspension) = 0;
  // Ends a suspension and "receiver gone", with kConnectionResumed if there was one. `actor` may be
  // empty: the service itself.
  virtual absl::Status EndSuspension(ConnectionId id, const Actor& actor, absl::Time now) = 0;
  // Writes kReceiverGone when it begins.
  virtual absl::Status SetReceiverGone(ConnectionId id, std::optional<absl::Time> since) = 0;
};

}  // namespace poller
