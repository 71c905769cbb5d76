// Orders that do not hold still while they are read.
#pragma once

#include <map>
#include <vector>

#include "core/model/ids.h"
#include "core/odoo/odoo_client.h"
#include "core/polling/batch_builder.h"

namespace poller {

// Counts, for one connection and Odoo, how often in a row an order was torn: usually once, when somebody
// saved it just then. One that is torn at every look, because something in Odoo writes it all the
// time or it names a line that nobody may read, would else be neither delivered nor dead, and would
// hold up for ever what waits for a complete sweep. Not synchronised: used under the connection's
// lane alone. Begins anew with the process.
class TornOrders {
 public:
  // A poll looks once or twice: about ten minutes, by default.
  static constexpr int kMostLooks = 20;

  // Takes out of `built.torn` what was torn too often, and makes it a dead letter, unless it is one
  // already. It is looked at again when its write_date moves, and by each sweep.
  void GiveUp(const std::vector<WantedOrder>& part, const odoo::FetchedOrders& fetched,
              BuiltBatch& built);

 private:
  std::map<OrderId, int> looks_;
};

}  // namespace poller
