// What a connection's passes leave behind for people: its row, its log, its suspension.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/model/sync_log.h"
#include "core/odoo/odoo_client.h"
#include "core/polling/pass_verdict.h"
#include "core/polling/poller_context.h"
#include "core/polling/polling_options.h"
#include "core/storage/connection_store.h"

namespace poller {

// A pass that ended.
struct EndedPass {
  Instant began;
  PassResult result;
  std::string kind;  // "start", "poll"
  absl::Status end;
};

// Used by one coroutine at a time, save where it says otherwise. All that it writes may be lost
// without harm: an error of the store is logged.
class PassRecords {
 public:
  // `context` outlives it.
  PassRecords(const PollerContext& context, ConnectionId connection)
      : context_(context), id_(connection) {}

  // Ends a suspension after a success, and suspends as the verdict says.
  Task<void> Suspension(bool suspended, bool ok, PassVerdict verdict);
  // The connection's row always; a log row if the pass failed in a new way or after it had found
  // something: a complete pass has written its own. `session`: the login as it is now.
  Task<void> Pass(ConnectionWithState connection, odoo::Session session, EndedPass pass);
  // Any thread: a log row, or another write to a store; `what` completes "cannot ...".
  Task<void> Log(std::string what, SyncLog log);
  Task<void> Note(std::string what, std::function<absl::Status()> write);

 private:
  const PollerContext& context_;
  const ConnectionId id_;
  std::string
      last_failure_;  // class of the failure that this series of passes ends with; empty: none
};

}  // namespace poller
