#include "core/polling/window_listing.h"

#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {

Task<absl::StatusOr<OrderComparer::Rows>> WindowListing::Next() {
  auto page = co_await comparer_.List(from_, after_);
  CO_RETURN_IF_ERROR(page);
  if (std::exchange(first_, false)) {
    // Of the FIRST answer: what commits while we page would fall behind a later one.
    ingest_.SetWindowDate(ingest_.Credible(page->date));
    const absl::Time mark = ingest_.state().mark;
    const auto restart = RestartFrom(ingest_.window(), mark);
    if (restart.has_value() && *restart < from_) {
      // What was written since lies further back than the marks tell.
      ingest_.log().Warning("Odoo's clock was set back",
                            {{"connection", ingest_.connection().id},
                             {"was", poller::FormatTime(mark)},
                             {"is", poller::FormatTime(*ingest_.window().date)}});
      from_ = *restart;
      page = co_await comparer_.List(from_, after_);
      CO_RETURN_IF_ERROR(page);
    }
  }
  complete_ = page->complete || page->orders.empty();
  if (!page->orders.empty()) after_ = page->orders.back().id;
  ingest_.result().listed += static_cast<std::int64_t>(page->orders.size());
  co_return std::move(page->orders);
}

}  // namespace poller
