// Compares what Odoo lists with what is known: the step that polls, sweeps and jobs have in common.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/polling/order_ingest.h"

namespace poller {

using HeadsById = std::map<OrderId, OrderHead>;
HeadsById ById(std::vector<OrderHead> heads);
// Null: not known.
const OrderHead* Find(const HeadsById& heads, OrderId id);
std::vector<OrderId> IdsOf(const std::vector<odoo::ListedOrder>& rows);
WantedOrder Wanting(OrderId id, std::string write_date, const OrderHead* head);

// What is read beside what differs from its head.
struct CompareRules {
  // A reading that decided nothing is repeated, unless this pass has done so already.
  bool undecided = false;
  // What could not be mapped is read again, though Odoo did not touch it.
  bool dead_letters = false;
  // What is cancelled and not known is read: a receiver may know it (a restored backup does not tell).
  bool unknown_cancelled = false;
  // Orders written before this (Odoo's text form) should have been found before: they are marked as
  // late. Empty: none.
  std::string late_before;
};

// Used by one coroutine. Errors: those of Odoo (with their ErrorKind), of the stores, and
// interruptions (pass_verdict.h).
class OrderComparer {
 public:
  using Rows = std::vector<odoo::ListedOrder>;
  using Wanted = std::vector<WantedOrder>;

  // Both outlive it.
  OrderComparer(const PollingOptions& options, OrderIngest& ingest);

  // A page of the listing, in a step of the caller. A page that is too much for this Odoo is
  // halved, from then on.
  Task<absl::StatusOr<odoo::OrderPage>> List(absl::Time from, OrderId after);
  // In a step of the caller: the rows that are to be read in full. Those that are cancelled are
  // committed at once.
  Task<absl::StatusOr<Wanted>> Compare(Rows rows, CompareRules rules);
  // Takes steps of its own: looks the orders up by id, whether or not a listing names them, and
  // reads what is to be read. Gone, cancelled and draft ones are committed as cancelled.
  Task<absl::Status> LookUp(std::vector<OrderId> ids, CompareRules rules);

 private:
  Task<absl::StatusOr<Wanted>> LookUpPart(std::vector<OrderId> ids, CompareRules rules);
  Task<absl::StatusOr<Wanted>> LookUpHalves(std::vector<OrderId> ids, CompareRules rules);

  const PollingOptions& options_;
  OrderIngest& ingest_;
  int page_size_;
};

}  // namespace poller
