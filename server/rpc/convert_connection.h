// Connections between the API and the model.
#pragma once

#include <google/protobuf/field_mask.pb.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/http/egress_policy.h"
#include "core/model/connection.h"
#include "core/storage/connection_store.h"
#include "odoopoller/v1/connection.pb.h"

namespace poller::rpc {

// What the server adds to settings, and what it asks of them.
struct ConnectionRules {
  absl::Duration overlap = absl::Minutes(5);  // where a connection leaves it to the server
  std::string default_webhook_url;            // empty: none
  EgressPolicy
      egress;  // addresses that stand in URLs are checked at once, names when they are dialled
};

// Never with a secret. `disk_low`: the server polls nothing at present. `now`: whether a rotation
// still runs.
odoopoller::v1::Connection ToProto(const ConnectionWithState& connection,
                                   const ConnectionRules& rules, bool disk_low, absl::Time now);
odoopoller::v1::ConnectionHealth HealthOf(const ConnectionWithState& connection, bool disk_low);
// Neither healthy nor paused. StorageTotals counts the same.
bool IsUnhealthy(const ConnectionWithState& connection, bool disk_low);

// The settings of a connection that is made `now`. kInvalidArgument lists every wrong field, as paths in
// `connection` with the prefix "connection.".
absl::StatusOr<ConnectionSettings> NewSettings(const odoopoller::v1::Connection& connection,
                                               const ConnectionRules& rules, absl::Time now);

// `before` with the fields of `mask` taken from `connection`.
struct ChangedSettings {
  ConnectionSettings settings;
  std::vector<std::string>
      changed;               // fields whose value differs now; secrets that were given count
  bool credentials = false;  // something that logging in depends on is among them
  bool other_odoo = false;   // another database, or another host of its URL
};
// kInvalidArgument lists every wrong field: unknown, output-only or immutable paths, secrets that
// would be unset or would go to another server than the one they were given for, and values that
// are not allowed.
absl::StatusOr<ChangedSettings> ChangeSettings(const ConnectionSettings& before,
                                               const odoopoller::v1::Connection& connection,
                                               const google::protobuf::FieldMask& mask,
                                               const ConnectionRules& rules);

// The version as callers carry it.
std::string Etag(std::int64_t version);
// kAborted (reason ETAG_MISMATCH): it is no etag of ours.
absl::StatusOr<std::int64_t> VersionOf(const std::string& etag);

}  // namespace poller::rpc
