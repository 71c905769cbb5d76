// The control API of the simulator's executable, under /sim/: what a person or a test script does
// to the shops from outside.
//
//   GET  /sim/orders?db=D[&all=1]   {"orders": [{db, id, name, state, write_date, amount_total,
//   ...}]}, committed; without `all` those
//                                   in state sale (or done)
//   GET  /sim/counts                orders by state and database, calls by method
//   POST /sim/orders                {db, count}: confirms random orders, each in its own
//   transaction -> {"ids": [...]} POST /sim/bulk                  {db, count, hold_seconds}: all in
//   one transaction that commits that much later POST /sim/confirm, cancel, draft, reconfirm, lock,
//   unlock, touch, delete        {db, id} POST /sim/edit                  {db, id, what, value}:
//   what = price | quantity | description | ref | note | add-line | add-note |
//                                   partner-street | product-code; lines and so on are those of the
//                                   order `id`
//   POST /sim/key                   {db, login, key, expires_in_seconds}: "" revokes it
//   POST /sim/rights                {db, login, rights}: all, own (documents) or none
//   POST /sim/version               {version}: 16 to 22, over the same data
//   POST /sim/fault                 {db, kind, model, method, times, status, retry_after, delay_ms,
//   bytes, name, message} -> {"id": N} POST /sim/clear-faults          {db}
// Errors are 400, 404 or 409 with {"error": "..."}.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "tests/support/control_json.h"
#include "tests/support/odoo_sim.h"
#include "tests/support/order_generator.h"

namespace poller::test {

// Thread-safe.
class OdooSimControl {
 public:
  // One generator for each database that `sim` has now. `sim` outlives this.
  OdooSimControl(OdooSim& sim, std::uint64_t seed);

  static bool Owns(const TestRequest& request) { return request.path.starts_with("/sim/"); }
  TestReply Handle(const TestRequest& request);

  OrderGenerator& generator(const std::string& db) { return *generators_.at(db); }
  // Commits the transactions whose time has come.
  void CommitDue(absl::Time now);

 private:
  struct Held {
    absl::Time due;
    std::string db;
    Tx tx;
  };
  TestReply ListOrders(const TestRequest& request);
  TestReply Counts();
  TestReply CreateOrders(SimDatabase& db, const ControlBody& body, bool bulk);
  TestReply Act(SimDatabase& db, const std::string& what, const ControlBody& body);
  TestReply AddFault(const ControlBody& body);
  TestReply SetVersion(const ControlBody& body);

  OdooSim& sim_;
  std::map<std::string, std::unique_ptr<OrderGenerator>> generators_;
  std::mutex mu_;
  std::vector<Held> held_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller::test
