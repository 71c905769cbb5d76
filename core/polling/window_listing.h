// The pages of a window, by rising id.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/polling/order_comparer.h"
#include "core/polling/order_ingest.h"

namespace poller {

// One pass's way through its window. Its first answer tells Odoo's clock, which becomes the pass's
// window date, and whether that was set back: then the listing begins further back. Used by one
// coroutine, in steps of its ingest. Errors: those of Odoo.
class WindowListing {
 public:
  // Both outlive it. `from`: the first write_date that is listed.
  WindowListing(OrderIngest& ingest, OrderComparer& comparer, absl::Time from)
      : ingest_(ingest), comparer_(comparer), from_(from) {}

  // The next page, which may be empty.
  Task<absl::StatusOr<OrderComparer::Rows>> Next();

  // Nothing follows what was given.
  bool complete() const { return complete_; }
  // Orders up to this id were listed.
  OrderId after() const { return after_; }
  absl::Time from() const { return from_; }

 private:
  OrderIngest& ingest_;
  OrderComparer& comparer_;
  absl::Time from_;
  OrderId after_;
  bool first_ = true, complete_ = false;
};

}  // namespace poller
