#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/polling/job_work.h"
#include "core/polling/order_comparer.h"
#include "core/polling/range_listing.h"
#include "core/polling/whole_read.h"

namespace poller {
namespace {

class Backfill final : public JobWork {
 public:
  Backfill(const JobSpec& spec, const PollingOptions& options)
      : batch_size_(static_cast<std::size_t>(options.batch_size)),
        listing_(spec, options.page_size) {}

  OrderIngest::Manner Manner() override {
    OrderIngest::Manner manner;
    manner.mode = IngestMode::kBackfill;
    manner.delivery_class = DeliveryClass::kHistory;
    manner.priority = LanePriority::kBackground;
    return manner;
  }

  Task<absl::StatusOr<bool>> Step(OrderIngest& ingest, JobProgress& progress) override {
    if (progress.total < 0) {
      auto step = co_await ingest.Begin();
      CO_RETURN_IF_ERROR(step);
      CO_RETURN_IF_ERROR(co_await listing_.Count(ingest, progress));
      co_return false;
    }
    auto wanted = co_await Next(ingest, progress);
    absl::Status end = wanted.status();
    if (end.ok()) end = co_await Deliver(ingest, std::move(*wanted));
    if (!end.ok()) {
      listing_.Rewind();
      co_return end;
    }
    progress.enqueued += ingest.result().recorded + ingest.requeued();
    progress.unchanged += ingest.result().unchanged;
    progress.dead += ingest.result().dead;
    co_return listing_.complete() && listing_.rows().empty();
  }

 private:
  // The next orders that are to be read; moves the place behind them and what lies between.
  Task<absl::StatusOr<std::vector<WantedOrder>>> Next(OrderIngest& ingest, JobProgress& progress) {
    auto step = co_await ingest.Begin();
    CO_RETURN_IF_ERROR(step);
    CO_RETURN_IF_ERROR(co_await listing_.Fill(ingest, progress));
    std::vector<OrderId> ids;
    for (const odoo::ListedOrder& row : listing_.rows()) ids.push_back(row.id);
    auto found = co_await ingest.Heads(std::move(ids));
    CO_RETURN_IF_ERROR(found);
    const HeadsById heads = ById(std::move(*found));
    const std::string polled =
        FormatOdooTime(WindowStart(ingest.state().mark, ingest.window().overlap));
    std::vector<WantedOrder> wanted;
    while (!listing_.rows().empty() && wanted.size() < batch_size_) {
      odoo::ListedOrder row = std::move(listing_.rows().front());
      listing_.rows().pop_front();
      progress.after = row.id;
      ++progress.listed;
      const OrderHead* head = Find(heads, row.id);
      const bool owed =
          head == nullptr ? row.write_date < polled : head->status == DeliveryStatus::kBaseline;
      if (owed) {
        wanted.push_back(Wanting(row.id, std::move(row.write_date), head));
      } else {
        ++progress.unchanged;
      }
    }
    co_return wanted;
  }

  Task<absl::Status> Deliver(OrderIngest& ingest, std::vector<WantedOrder> wanted) {
    auto restless = co_await ReadWhole(ingest, std::move(wanted));
    CO_RETURN_IF_ERROR(restless);
    const std::vector<OrderId> outdated = ingest.TakeOutdated();
    restless->insert(restless->end(), outdated.begin(), outdated.end());
    co_return co_await DeliverAsKnown(ingest, std::move(*restless));
  }

  // What cannot be read as it is now is the polls' to read, but they take what equals the baseline
  // for known. So that goes out as it was recorded, and what they find takes its place.
  Task<absl::Status> DeliverAsKnown(OrderIngest& ingest, std::vector<OrderId> orders) {
    if (orders.empty()) co_return absl::OkStatus();
    auto step = co_await ingest.Begin();
    CO_RETURN_IF_ERROR(step);
    auto heads = co_await ingest.Heads(std::move(orders));
    CO_RETURN_IF_ERROR(heads);
    IngestBatch batch = ingest.NewBatch();
    for (const OrderHead& head : *heads) {
      const bool deliverable =
          head.condition == OrderCondition::kConfirmed && !head.content_hash.empty();
      if (head.status != DeliveryStatus::kBaseline || !deliverable) continue;
      Observation known;  // equal to the head: its content is not needed
      known.order = head.order;
      known.name = head.name;
      known.write_date = head.write_date;
      known.line_write_date = head.line_write_date;
      known.line_stamps = head.line_stamps;
      known.young = head.young;
      known.content_hash = head.content_hash;
      batch.orders.push_back(std::move(known));
    }
    co_return co_await ingest.Commit(std::move(batch));
  }

  const std::size_t batch_size_;
  RangeListing listing_;
};

}  // namespace

std::unique_ptr<JobWork> MakeBackfill(const JobSpec& spec, const PollingOptions& options) {
  return std::make_unique<Backfill>(spec, options);
}

}  // namespace poller
