#include "core/polling/sweep.h"

#include <algorithm>
#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/polling/line_query.h"

namespace poller {

Sweep::Sweep(IngestStore& store, Executor storage_pool, const PollingOptions& options,
             OrderIngest& ingest)
    : store_(store),
      storage_pool_(std::move(storage_pool)),
      options_(options),
      ingest_(ingest),
      comparer_(options, ingest) {}

Task<absl::Status> Sweep::Run() {
  const ConnectionState& state = ingest_.state();
  const absl::Duration overlap = ingest_.window().overlap;
  Progress progress;
  progress.from =
      SweepStart(state.mark, state.sweep_mark, state.started, options_.sweep_window, overlap);
  progress.rules.dead_letters = true;
  progress.rules.late_before = FormatOdooTime(WindowStart(state.mark, overlap));
  while (!progress.complete) {
    std::vector<OrderId> listed;
    auto wanted = co_await Page(progress, listed);
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
    CO_RETURN_IF_ERROR(co_await CheckOpen(progress, std::move(listed)));
  }
  LineQuery lines(options_, ingest_);
  CO_RETURN_IF_ERROR(co_await lines.Sweep(progress.from));
  // A hold ends with this sweep: nothing may be left that could be stale.
  if (ingest_.state().held_since && !ingest_.undecided().empty())
    co_return absl::UnavailableError(
        "orders changed while a restored shop was swept; sweeping again");
  IngestBatch last = ingest_.NewBatch();
  last.sweep_mark = ingest_.window().date.value_or(state.mark);
  co_return co_await ingest_.Conclude(std::move(last), "sweep");
}

Task<absl::StatusOr<std::vector<WantedOrder>>> Sweep::Page(Progress& progress,
                                                           std::vector<OrderId>& listed) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto page = co_await comparer_.List(progress.from, progress.after);
  CO_RETURN_IF_ERROR(page);
  if (progress.first) {
    progress.first = false;
    ingest_.SetWindowDate(ingest_.Credible(page->date));
    // Odoo's clock was set back: what was written since lies further back than the marks tell.
    const auto restart = RestartFrom(ingest_.window(), ingest_.state().mark);
    if (restart.has_value() && *restart < progress.from) {
      progress.from = *restart;
      page = co_await comparer_.List(progress.from, progress.after);
      CO_RETURN_IF_ERROR(page);
    }
  }
  progress.complete = page->complete || page->orders.empty();
  if (!page->orders.empty()) progress.after = page->orders.back().id;
  ingest_.result().listed += static_cast<std::int64_t>(page->orders.size());
  listed = IdsOf(page->orders);
  CompareRules rules = progress.rules;
  co_return co_await comparer_.Compare(std::move(page->orders), std::move(rules));
}

// Orders that we hold for confirmed, up to where the listing came, and that it does not name: gone,
// back in draft, or written before the window and still waiting here. `listed`: by rising id.
Task<absl::Status> Sweep::CheckOpen(Progress& progress, std::vector<OrderId> listed) {
  // A replica that lags may not show yet what another one showed to a poll a moment ago.
  const absl::Time settled =
      ingest_.window().date.value_or(absl::InfiniteFuture()) - ingest_.window().overlap;
  // After a restore nothing may go out that is gone, however young it is.
  const bool held = ingest_.state().held_since.has_value();
  while (progress.complete || progress.checked < progress.after) {
    auto open = co_await OpenOrders(progress);
    CO_RETURN_IF_ERROR(open);
    const bool last = open->size() < static_cast<std::size_t>(options_.page_size);
    std::vector<OrderId> unlisted;
    bool beyond = false;
    for (const OrderHead& head : *open) {
      beyond = !progress.complete && progress.after < head.order;
      if (beyond) break;
      progress.checked = head.order;
      if (std::binary_search(listed.begin(), listed.end(), head.order)) continue;
      if (held || head.observed_at <= settled) unlisted.push_back(head.order);
    }
    CompareRules rules = progress.rules;
    CO_RETURN_IF_ERROR(co_await comparer_.LookUp(std::move(unlisted), std::move(rules)));
    if (beyond || last) {
      if (!progress.complete) progress.checked = progress.after;
      co_return absl::OkStatus();
    }
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<std::vector<OrderHead>>> Sweep::OpenOrders(const Progress& progress) {
  auto work = [&store = store_, id = ingest_.connection().id,
               since = FormatOdooTime(std::max(absl::UnixEpoch(), progress.from)),
               after = progress.checked,
               limit = options_.page_size] { return store.OpenOrders(id, since, after, limit); };
  co_return co_await Offload(storage_pool_, std::move(work));
}

}  // namespace poller
