#include "core/polling/range_listing.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {

odoo::DateRange RangeListing::Range(const JobProgress& progress) const {
  odoo::DateRange range;
  range.since = std::max(spec_.since, progress.oldest_date);
  range.until = spec_.until;
  return range;
}

Task<absl::Status> RangeListing::Count(OrderIngest& ingest, JobProgress& progress) const {
  const odoo::DateRange range = Range(progress);
  auto count = co_await ingest.client().CountDated(range);
  CO_RETURN_IF_ERROR(count);
  progress.total = *count;
  if (spec_.last == 0 || *count <= spec_.last) co_return absl::OkStatus();
  CO_RETURN_IF_ERROR(ingest.GoesOn());
  auto oldest = co_await ingest.client().NthNewestDated(range, spec_.last);
  CO_RETURN_IF_ERROR(oldest);
  if (oldest->orders.empty()) co_return absl::OkStatus();  // some went since they were counted
  auto dated = ParseOdooTime(oldest->orders.front().date_order);
  CO_RETURN_IF_ERROR(dated);
  progress.total = spec_.last;
  progress.oldest_date = *dated;
  progress.oldest_order = oldest->orders.front().id;
  co_return absl::OkStatus();
}

Task<absl::Status> RangeListing::Fill(OrderIngest& ingest, const JobProgress& progress) {
  if (!rows_.empty() || complete_) co_return absl::OkStatus();
  const std::string oldest =
      progress.oldest_date == absl::InfinitePast() ? "" : FormatOdooTime(progress.oldest_date);
  OrderId after = progress.after;
  while (rows_.empty() && !complete_) {
    auto page = co_await ingest.client().ListDated(Range(progress), after, page_size_);
    if (odoo::ErrorKindOf(page.status()) == odoo::ErrorKind::kTooMuch && page_size_ > 1) {
      page_size_ /= 2;
      continue;
    }
    CO_RETURN_IF_ERROR(page);
    complete_ = page->complete || page->orders.empty();
    if (!page->orders.empty()) after = page->orders.back().id;
    for (odoo::ListedOrder& row : page->orders) {
      // Of one second there can be more than belong to the newest N.
      if (row.date_order == oldest && row.id < progress.oldest_order) continue;
      rows_.push_back(std::move(row));
    }
  }
  co_return absl::OkStatus();
}

}  // namespace poller
