// The client of a connection's present settings.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "core/async/sleeper.h"
#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/model/connection.h"
#include "core/odoo/odoo_client.h"
#include "core/polling/ingest_lane.h"
#include "core/polling/polling_options.h"
#include "core/storage/connection_store.h"

namespace poller {

// Another client for every other Odoo or login; the same one for all other edits, so that its login
// is kept. Not synchronised.
class OdooLink {
 public:
  // All outlive it.
  OdooLink(HttpClient& http, const Clock& clock, Sleeper& sleeper, LaneRegistry& turns,
           const PollingOptions& options)
      : http_(http), clock_(clock), sleeper_(sleeper), turns_(turns), options_(options) {}

  // Call it with every state that was read from the store. What is older than what it has seen is
  // ignored: polls and what runs behind them read at the same time, and an edit may lie between the
  // two. True: it replaced a client, so that what is held against the old Odoo says nothing of this.
  bool Use(const ConnectionWithState& connection);

  // Null before the first Use.
  const std::shared_ptr<odoo::Client>& client() const { return client_; }
  // The client is not the first one: what was learnt of the old one's Odoo has to be asked anew.
  bool edited() const { return edited_; }
  // Of the client's Odoo database, shared with all its connections.
  const std::shared_ptr<IngestLane>& turn() const { return turn_; }

 private:
  HttpClient& http_;
  const Clock& clock_;
  Sleeper& sleeper_;
  LaneRegistry& turns_;
  const PollingOptions& options_;
  odoo::Target target_;
  std::shared_ptr<odoo::Client> client_;
  std::shared_ptr<IngestLane> turn_;
  absl::Duration gap_;  // between calls
  bool edited_ = false;
  bool begun_ = false;  // the connection had begun when it was used last
  std::int64_t version_ = 0;
};

}  // namespace poller
