#include "core/polling/connection_start.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {

ConnectionStart::ConnectionStart(const PollingOptions& options, OrderIngest& ingest, Fixed fixed)
    : newest_(options.start_newest),
      ingest_(ingest),
      comparer_(options, ingest),
      fixed_(std::move(fixed)) {}

// Every start begins "now"; what else `start_from` asks for is fetched behind the polls, as
// history.
Task<absl::Status> ConnectionStart::Run() {
  auto begun = co_await BeginBaseline();
  CO_RETURN_IF_ERROR(begun);
  Baseline baseline = std::move(*begun);
  CO_RETURN_IF_ERROR(co_await fixed_(baseline.at));
  ingest_.SetMode(IngestMode::kBaseline);
  Rows newest = std::move(baseline.newest);
  auto known = co_await Unknown(baseline, std::move(newest), baseline.seen);
  CO_RETURN_IF_ERROR(known);
  CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*known)));
  while (!baseline.complete) {
    auto wanted = co_await BaselinePage(baseline);
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
  }
  IngestBatch last = ingest_.NewBatch();
  last.mark = baseline.at;
  last.line_mark = baseline.at;
  co_return co_await ingest_.Conclude(std::move(last), "start");
}

// Fixes the moment at which the connection begins, before anything is read: what is confirmed while
// the baseline is read, or between a crash in it and the next try, comes after that moment and is
// delivered.
Task<absl::StatusOr<ConnectionStart::Baseline>> ConnectionStart::BeginBaseline() {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto page = co_await ingest_.client().NewestOrders(newest_);
  CO_RETURN_IF_ERROR(page);
  Baseline baseline;
  baseline.newest = std::move(page->orders);
  const std::optional<absl::Time> date = ingest_.Credible(page->date);
  ingest_.SetWindowDate(date);
  if (ingest_.started() != absl::InfinitePast()) {
    baseline.at = ingest_.started();
    co_return baseline;
  }
  baseline.seen = true;
  // Without a clock of Odoo's, the newest write_date is the latest moment that is known to have
  // passed there; in an empty shop all comes later.
  baseline.at = absl::UnixEpoch();
  for (const odoo::ListedOrder& row : baseline.newest) {
    const auto written = ParseOdooTime(row.write_date);
    if (written.ok()) baseline.at = std::max(baseline.at, *written);
  }
  if (date.has_value()) baseline.at = *date;
  IngestBatch begun = ingest_.NewBatch();
  begun.started = baseline.at;
  CO_RETURN_IF_ERROR(co_await ingest_.Commit(std::move(begun)));
  ingest_.SetStarted(baseline.at);
  co_return baseline;
}

Task<absl::StatusOr<ConnectionStart::Wanted>> ConnectionStart::BaselinePage(Baseline& baseline) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  const absl::Time from =
      std::max(absl::UnixEpoch(), WindowStart(baseline.at, ingest_.window().overlap));
  auto page = co_await comparer_.List(from, baseline.after);
  CO_RETURN_IF_ERROR(page);
  baseline.complete = page->complete || page->orders.empty();
  if (!page->orders.empty()) baseline.after = page->orders.back().id;
  ingest_.result().listed += static_cast<std::int64_t>(page->orders.size());
  co_return co_await Unknown(baseline, std::move(page->orders), false);
}

// Those of `rows` that belong to the baseline and are not recorded yet. `seen`: all of them were
// there when the connection began; of others, those written in its very second may be younger.
Task<absl::StatusOr<ConnectionStart::Wanted>> ConnectionStart::Unknown(const Baseline& baseline,
                                                                       Rows rows, bool seen) {
  const std::string last = FormatOdooTime(baseline.at);
  std::erase_if(rows, [&](const odoo::ListedOrder& row) {
    return !IsConfirmedState(row.state) || (!seen && row.write_date >= last);
  });
  Wanted wanted;
  auto found = co_await ingest_.Heads(IdsOf(rows));
  CO_RETURN_IF_ERROR(found);
  const auto heads = ById(std::move(*found));
  for (odoo::ListedOrder& row : rows) {
    if (Find(heads, row.id) != nullptr) continue;
    wanted.push_back(Wanting(row.id, std::move(row.write_date), nullptr));
    wanted.back().only_as_listed = true;
  }
  co_return wanted;
}

}  // namespace poller
