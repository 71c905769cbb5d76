// What all services work with, and what they do alike.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/offload.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/random_source.h"
#include "core/delivery/dispatcher.h"
#include "core/events/event_broker.h"
#include "core/polling/scheduler.h"
#include "core/storage/backup.h"
#include "core/storage/connection_store.h"
#include "core/storage/event_log.h"
#include "core/storage/job_store.h"
#include "core/storage/outbox_store.h"
#include "core/storage/retry_store.h"
#include "core/storage/status_store.h"
#include "core/storage/sync_log_store.h"
#include "core/storage/token_store.h"
#include "odoopoller/v1/connection.pb.h"
#include "server/disk_watch.h"
#include "server/rpc/convert_connection.h"
#include "server/rpc/gate.h"

namespace poller {

// Everything referred to outlives the services and their calls.
struct ServiceContext {
  rpc::Gate& gate;
  ConnectionStore& connections;
  OutboxStore& outbox;
  RetryStore& retries;
  OrderStore& orders;
  JobStore& jobs;
  SyncLogStore& sync_logs;
  EventLog& events;
  StatusStore& status;
  BackupStore& backups;
  TokenStore& tokens;
  Scheduler& scheduler;
  Dispatcher& dispatcher;
  EventBroker& broker;
  const Clock& clock;
  Sleeper& sleeper;
  RandomSource& random;
  Executor storage_pool;  // where blocking calls of the stores run
  rpc::ConnectionRules rules;
  std::string version;                  // of the program
  std::filesystem::path backup_folder;  // made when it is needed
  DiskWatch& disk;
  Instant started;
  absl::Duration heartbeat =
      absl::Seconds(10);  // longest silence of an event stream; the API promises 15 s
};

// Runs a blocking call of a store where such calls belong. Name the lambda before you pass it.
template <class F>
auto Blocking(const ServiceContext& context, F work) {
  return Offload(context.storage_pool, std::move(work));
}

// The connection that `ref` names. kInvalidArgument (field "connection") if it names none;
// kNotFound (reason CONNECTION_NOT_FOUND).
Task<absl::StatusOr<ConnectionWithState>> FindConnection(const ServiceContext& context,
                                                         odoopoller::v1::ConnectionRef ref);
// For filters: nothing if `ref` is unset.
Task<absl::StatusOr<std::optional<ConnectionId>>> FindFilter(const ServiceContext& context,
                                                             bool given,
                                                             odoopoller::v1::ConnectionRef ref);
// The connection of a later step; kNotFound as above if it was deleted meanwhile.
Task<absl::StatusOr<ConnectionWithState>> GetConnection(const ServiceContext& context,
                                                        ConnectionId id);

// kNotFound becomes the API's, with reason and metadata; everything else stays.
absl::Status AsConnectionError(const absl::Status& status, std::string_view connection);
// An error of reading Odoo: kUnavailable (reason ODOO_FAILED). Errors of our own stores, of a
// missing connection and of a stop keep their meaning.
absl::Status AsOdooError(const absl::Status& status, ConnectionId connection);

// The loops of a connection look at its row again.
void SettingsChanged(const ServiceContext& context, ConnectionId id);

}  // namespace poller
