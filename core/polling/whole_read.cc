#include "core/polling/whole_read.h"

#include <utility>

#include "core/base/status.h"
#include "core/polling/order_comparer.h"

namespace poller {
namespace {

constexpr int kTries = 3;

}  // namespace

Task<absl::StatusOr<std::vector<WantedOrder>>> WithHeads(OrderIngest& ingest,
                                                         std::vector<OrderId> ids) {
  auto heads = co_await ingest.Heads(ids);
  CO_RETURN_IF_ERROR(heads);
  const HeadsById known = ById(std::move(*heads));
  std::vector<WantedOrder> wanted;
  for (const OrderId id : ids) wanted.push_back(Wanting(id, "", Find(known, id)));
  co_return wanted;
}

Task<absl::StatusOr<std::vector<OrderId>>> ReadWhole(OrderIngest& ingest,
                                                     std::vector<WantedOrder> wanted) {
  for (int tries = 1;; ++tries) {
    CO_RETURN_IF_ERROR(co_await ingest.ReadAndCommit(std::move(wanted)));
    std::vector<OrderId> torn = ingest.TakeTorn();
    if (torn.empty() || tries == kTries) co_return torn;
    auto again = co_await WithHeads(ingest, std::move(torn));
    CO_RETURN_IF_ERROR(again);
    wanted = std::move(*again);
  }
}

}  // namespace poller
