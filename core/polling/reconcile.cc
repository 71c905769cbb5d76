#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/polling/job_work.h"
#include "core/polling/order_comparer.h"
#include "core/polling/range_listing.h"
#include "core/polling/whole_read.h"
#include "core/storage/ingest_decision.h"

namespace poller {
namespace {

constexpr std::size_t kDifferencesNamed = 100;
constexpr std::size_t kNameKept = 200;  // bytes of an order's name

bool IsUndelivered(DeliveryStatus status) {
  switch (status) {
    case DeliveryStatus::kDead:
    case DeliveryStatus::kDiscarded:
    case DeliveryStatus::kWithdrawn:
    case DeliveryStatus::kBaseline:
      return true;
    case DeliveryStatus::kPending:
    case DeliveryStatus::kDelivered:
    case DeliveryStatus::kSuperseded:
      return false;
  }
  return false;
}

// What is wrong with an order that could be read; empty: nothing.
std::string Compare(const Observation& seen, const OrderHead* head) {
  if (head == nullptr) return "missing";
  if (IsAsImported(*head, seen.write_date, seen.line_write_date))
    return IsUndelivered(head->status) ? "undelivered" : "";
  if (head->condition == OrderCondition::kCancelled || head->content_hash != seen.content_hash) {
    return "differs";
  }
  return IsUndelivered(head->status) ? "undelivered" : "";
}

// What of the time before the connection began is owed to somebody.
class StartScope {
 public:
  StartScope(const StartFrom& start, absl::Time started, absl::Duration overlap)
      : start_(start), written_(FormatOdooTime(std::max(absl::UnixEpoch(), started - overlap))) {
    if (start.kind == StartFrom::Kind::kTime) dated_ = FormatOdooTime(start.time);
  }
  // `start_from` asks for it. Of "last:N" nobody can tell afterwards.
  bool Asks(const odoo::ListedOrder& row) const {
    return start_.kind == StartFrom::Kind::kBeginning ||
           (start_.kind == StartFrom::Kind::kTime && row.date_order >= dated_);
  }
  // It has not changed since the connection began.
  bool IsBefore(const odoo::ListedOrder& row) const { return row.write_date < written_; }

 private:
  const StartFrom start_;
  const std::string written_;
  std::string dated_;
};

class Reconcile final : public JobWork {
 public:
  Reconcile(const JobSpec& spec, const PollingOptions& options)
      : spec_(spec),
        batch_size_(static_cast<std::size_t>(options.batch_size)),
        page_size_(options.page_size),
        listing_(spec, options.page_size) {}

  OrderIngest::Manner Manner() override {
    OrderIngest::Manner manner;
    manner.delivery_class = DeliveryClass::kHistory;
    manner.priority = LanePriority::kBackground;
    manner.inspect = [this](const std::vector<WantedOrder>& wanted, BuiltBatch built) {
      return Inspect(wanted, std::move(built));
    };
    return manner;
  }

  Task<absl::StatusOr<bool>> Step(OrderIngest& ingest, JobProgress& progress) override {
    if (progress.total < 0) {
      auto step = co_await ingest.Begin();
      CO_RETURN_IF_ERROR(step);
      CO_RETURN_IF_ERROR(co_await listing_.Count(ingest, progress));
      co_return false;
    }
    progress_ = &progress;
    const absl::Status end = co_await Batch(ingest, progress);
    progress_ = nullptr;
    if (!end.ok()) {
      listing_.Rewind();
      co_return end;
    }
    progress.enqueued += ingest.result().recorded + ingest.requeued();
    co_return listing_.complete() && listing_.rows().empty();
  }

 private:
  Task<absl::Status> Batch(OrderIngest& ingest, JobProgress& progress) {
    const OrderId before = progress.after;
    std::set<OrderId> listed;
    auto wanted = co_await Next(ingest, progress, listed);
    CO_RETURN_IF_ERROR(wanted);
    auto restless = co_await ReadWhole(ingest, std::move(*wanted));
    CO_RETURN_IF_ERROR(restless);
    CO_RETURN_IF_ERROR(co_await NoteChanging(ingest, std::move(*restless)));
    const bool last = listing_.complete() && listing_.rows().empty();
    const OrderId end = last ? OrderId() : progress.after;
    co_return co_await FindGone(ingest, before, end, std::move(listed));
  }

  Task<absl::StatusOr<std::vector<WantedOrder>>> Next(OrderIngest& ingest, JobProgress& progress,
                                                      std::set<OrderId>& listed) {
    auto step = co_await ingest.Begin();
    CO_RETURN_IF_ERROR(step);
    CO_RETURN_IF_ERROR(co_await listing_.Fill(ingest, progress));
    std::vector<odoo::ListedOrder> rows;
    while (!listing_.rows().empty() && rows.size() < batch_size_) {
      rows.push_back(std::move(listing_.rows().front()));
      listing_.rows().pop_front();
    }
    auto found = co_await ingest.Heads(IdsOf(rows));
    CO_RETURN_IF_ERROR(found);
    const HeadsById heads = ById(std::move(*found));
    const std::string polled =
        FormatOdooTime(WindowStart(ingest.state().mark, ingest.window().overlap));
    const StartScope start(ingest.connection().settings.start_from, ingest.started(),
                           ingest.window().overlap);
    asked_.clear();
    std::vector<WantedOrder> wanted;
    for (odoo::ListedOrder& row : rows) {
      progress.after = row.id;
      ++progress.listed;
      listed.insert(row.id);
      if (start.Asks(row)) asked_.insert(row.id);
      const OrderHead* head = Find(heads, row.id);
      const bool on_its_way =
          row.write_date >= polled && (head == nullptr || head->write_date != row.write_date);
      if (on_its_way) {
        ++progress.unchanged;
      } else if (head == nullptr && start.IsBefore(row) && !start.Asks(row)) {
        ++progress.baseline;
      } else {
        wanted.push_back(Wanting(row.id, std::move(row.write_date), head));
      }
    }
    co_return wanted;
  }

  std::vector<IngestPortion> Inspect(const std::vector<WantedOrder>& wanted, BuiltBatch built) {
    std::map<OrderId, const OrderHead*> heads;
    for (const WantedOrder& order : wanted) {
      heads[order.id] = order.head.has_value() ? &*order.head : nullptr;
    }
    IngestPortion record{IngestMode::kBackfill, {}};
    IngestPortion again{IngestMode::kResend, {}};
    for (Observation& seen : built.orders) {
      const OrderHead* const head = heads[seen.order];
      const std::string what = Compare(seen, head);
      if (what == "undelivered" && IsLeftAlone(head)) {
        ++progress_->baseline;
        continue;
      }
      if (what.empty()) {
        ++progress_->unchanged;
        continue;
      }
      Note(seen.order, seen.name, what);
      IngestPortion& portion = what == "undelivered" ? again : record;
      portion.batch.orders.push_back(std::move(seen));
    }
    for (const UnmappableOrder& dead : built.unmappable) {
      if (IsLeftAlone(heads[dead.order])) {
        ++progress_->baseline;
        continue;
      }
      ++progress_->dead;
      Note(dead.order, dead.name, "unreadable");
    }
    if (!spec_.repair) return {};
    record.batch.cancelled = std::move(built.cancelled);
    std::vector<IngestPortion> portions;
    portions.push_back(std::move(record));
    portions.push_back(std::move(again));
    return portions;
  }

  // Baseline that nobody asked for.
  bool IsLeftAlone(const OrderHead* head) const {
    return head != nullptr && head->status == DeliveryStatus::kBaseline &&
           !asked_.contains(head->order);
  }

  // The polls find these, but nobody has compared them.
  Task<absl::Status> NoteChanging(OrderIngest& ingest, std::vector<OrderId> orders) {
    if (orders.empty()) co_return absl::OkStatus();
    auto found = co_await ingest.Heads(orders);
    CO_RETURN_IF_ERROR(found);
    const HeadsById heads = ById(std::move(*found));
    for (const OrderId order : orders) {
      const OrderHead* head = Find(heads, order);
      Note(order, head != nullptr ? head->name : "", "changing");
    }
    co_return absl::OkStatus();
  }

  void Note(OrderId order, const std::string& name, const std::string& what) {
    ++progress_->differences;
    if (progress_->first_differences.size() < kDifferencesNamed) {
      progress_->first_differences.push_back({order, SafeText(name, kNameKept), what});
    }
  }

  // Orders after `from` up to `to` (none: all that follow) that we hold for confirmed, written since
  // the range begins, and that the listing did not name.
  Task<absl::Status> FindGone(OrderIngest& ingest, OrderId from, OrderId to,
                              std::set<OrderId> listed) {
    while (true) {
      auto open = co_await OpenOrders(ingest, from);
      CO_RETURN_IF_ERROR(open);
      const bool last = open->size() < static_cast<std::size_t>(page_size_);
      if (!open->empty()) from = open->back().order;
      std::erase_if(*open, [&](const OrderHead& head) {
        return listed.contains(head.order) || (to && to < head.order);
      });
      CO_RETURN_IF_ERROR(co_await LookUp(ingest, std::move(*open)));
      if (last || (to && to <= from)) co_return absl::OkStatus();
    }
  }

  Task<absl::StatusOr<std::vector<OrderHead>>> OpenOrders(OrderIngest& ingest, OrderId after) {
    std::string since = spec_.since == absl::InfinitePast() ? "" : FormatOdooTime(spec_.since);
    co_return co_await ingest.OpenOrders(std::move(since), after, page_size_);
  }

  Task<absl::Status> LookUp(OrderIngest& ingest, std::vector<OrderHead> heads) {
    if (heads.empty()) co_return absl::OkStatus();
    std::vector<OrderId> ids;
    for (const OrderHead& head : heads) ids.push_back(head.order);
    auto step = co_await ingest.Begin();
    CO_RETURN_IF_ERROR(step);
    auto page = co_await ingest.client().LookUp(std::move(ids));
    if (odoo::ErrorKindOf(page.status()) == odoo::ErrorKind::kRecord && heads.size() > 1) {
      *step = OrderIngest::Step();
      const auto middle = heads.begin() + static_cast<std::ptrdiff_t>(heads.size() / 2);
      std::vector<OrderHead> second(middle, heads.end());
      heads.erase(middle, heads.end());
      CO_RETURN_IF_ERROR(co_await LookUp(ingest, std::move(heads)));
      co_return co_await LookUp(ingest, std::move(second));
    }
    // Forbidden is not gone.
    if (odoo::ErrorKindOf(page.status()) == odoo::ErrorKind::kRecord) co_return absl::OkStatus();
    CO_RETURN_IF_ERROR(page);
    std::map<OrderId, const odoo::ListedOrder*> there;
    for (const odoo::ListedOrder& row : page->orders) there[row.id] = &row;
    IngestBatch batch = ingest.NewBatch();
    for (const OrderHead& head : heads) {
      const auto row = there.find(head.order);
      if (row != there.end() && IsConfirmedState(row->second->state)) continue;
      Note(head.order, head.name, "gone");
      const std::string write_date = row == there.end() ? "" : row->second->write_date;
      batch.cancelled.push_back({head.order, write_date, false});
    }
    if (!spec_.repair) co_return absl::OkStatus();
    co_return co_await ingest.Commit(std::move(batch));
  }

  const JobSpec spec_;
  const std::size_t batch_size_;
  const int page_size_;
  RangeListing listing_;
  // Of the step that runs:
  JobProgress* progress_ = nullptr;
  std::set<OrderId> asked_;  // `start_from` asks for these
};

}  // namespace

std::unique_ptr<JobWork> MakeReconcile(const JobSpec& spec, const PollingOptions& options) {
  return std::make_unique<Reconcile>(spec, options);
}

}  // namespace poller
