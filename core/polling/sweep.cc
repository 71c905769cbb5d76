#include "core/polling/sweep.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/polling/line_query.h"

namespace poller {

Sweep::Sweep(const PollingOptions& options, OrderIngest& ingest)
    : options_(options), ingest_(ingest), comparer_(options, ingest) {}

Task<absl::Status> Sweep::Run() {
  const ConnectionState& state = ingest_.state();
  const absl::Duration overlap = ingest_.window().overlap;
  rules_.dead_letters = true;
  rules_.late_before = FormatOdooTime(WindowStart(state.mark, overlap));
  WindowListing listing(
      ingest_, comparer_,
      SweepStart(state.mark, state.sweep_mark, state.started, options_.sweep_window, overlap));
  while (!listing.complete()) {
    std::vector<OrderId> listed;
    auto wanted = co_await Page(listing, listed);
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
    CO_RETURN_IF_ERROR(co_await CheckOpen(listing, std::move(listed)));
  }
  LineQuery lines(options_, ingest_);
  CO_RETURN_IF_ERROR(co_await lines.Sweep(listing.from()));
  // A hold ends with this sweep: nothing may be left that could be stale.
  if (ingest_.state().held_since && !ingest_.undecided().empty())
    co_return absl::UnavailableError(
        "orders changed while a restored shop was swept; sweeping again");
  IngestBatch last = ingest_.NewBatch();
  last.sweep_mark = ingest_.window().date.value_or(state.mark);
  co_return co_await ingest_.Conclude(std::move(last), "sweep");
}

Task<absl::StatusOr<std::vector<WantedOrder>>> Sweep::Page(WindowListing& listing,
                                                           std::vector<OrderId>& listed) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto rows = co_await listing.Next();
  CO_RETURN_IF_ERROR(rows);
  listed = IdsOf(*rows);
  CompareRules rules = rules_;
  co_return co_await comparer_.Compare(std::move(*rows), std::move(rules));
}

// Orders that we hold for confirmed, up to where the listing came, and that it does not name: gone,
// back in draft, or written before the window and still waiting here. `listed`: by rising id.
Task<absl::Status> Sweep::CheckOpen(const WindowListing& listing, std::vector<OrderId> listed) {
  // A replica that lags may not show yet what another one showed to a poll a moment ago.
  const absl::Time settled =
      ingest_.window().date.value_or(absl::InfiniteFuture()) - ingest_.window().overlap;
  // After a restore nothing may go out that is gone, however young it is.
  const bool held = ingest_.state().held_since.has_value();
  while (listing.complete() || checked_ < listing.after()) {
    auto open = co_await OpenOrders(listing.from());
    CO_RETURN_IF_ERROR(open);
    const bool last = open->size() < static_cast<std::size_t>(options_.page_size);
    std::vector<OrderId> unlisted;
    bool beyond = false;
    for (const OrderHead& head : *open) {
      beyond = !listing.complete() && listing.after() < head.order;
      if (beyond) break;
      checked_ = head.order;
      if (std::binary_search(listed.begin(), listed.end(), head.order)) continue;
      if (held || head.observed_at <= settled) unlisted.push_back(head.order);
    }
    CompareRules rules = rules_;
    CO_RETURN_IF_ERROR(co_await comparer_.LookUp(std::move(unlisted), std::move(rules)));
    if (beyond || last) {
      if (!listing.complete()) checked_ = listing.after();
      co_return absl::OkStatus();
    }
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<std::vector<OrderHead>>> Sweep::OpenOrders(absl::Time from) {
  std::string since = FormatOdooTime(std::max(absl::UnixEpoch(), from));
  co_return co_await ingest_.OpenOrders(std::move(since), checked_, options_.page_size);
}

}  // namespace poller
