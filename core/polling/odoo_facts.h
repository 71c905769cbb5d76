// What is asked of an Odoo once in a while, and stored.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/model/ids.h"
#include "core/odoo/odoo_client.h"
#include "core/polling/order_ingest.h"
#include "core/polling/poller_context.h"

namespace poller {

// The version, and with it the protocol, and when the key ends. Asked for when nothing is known, when
// the connection's way to Odoo was edited, after a failed pass (Odoo may have been upgraded), and
// once a day. Used by whoever runs the connection's passes, one at a time.
class OdooFacts {
 public:
  // `context` outlives this.
  OdooFacts(const PollerContext& context, ConnectionId id) : context_(context), id_(id) {}
  ~OdooFacts();
  OdooFacts(const OdooFacts&) = delete;
  OdooFacts& operator=(const OdooFacts&) = delete;

  // Asks what is due. `edited`: the client is not the first one of this run. An error means that
  // Odoo cannot be polled now; one that hides its version can.
  Task<absl::Status> Learn(IngestSubject subject, bool edited);
  void PassEnded(bool ok) { failed_ = !ok; }

 private:
  bool IsDue(const IngestSubject& subject, bool edited);
  Task<absl::Status> LearnKey(odoo::Client& client);
  void CountKey(bool expiring);

  const PollerContext& context_;
  const ConnectionId id_;
  std::weak_ptr<odoo::Client> asked_;  // the client that was asked last
  absl::Duration due_ = absl::InfiniteDuration();
  bool failed_ = false;
  bool counted_ = false;  // in the gauge of keys that end soon
};

}  // namespace poller
