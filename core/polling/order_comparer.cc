#include "core/polling/order_comparer.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "core/base/status.h"

namespace poller {
namespace {

// A page that is still too much at this size will not get better by asking for less.
constexpr int kSmallestPage = 10;
constexpr char kCancelledState[] = "cancel";

bool IsLate(const CompareRules& rules, const odoo::ListedOrder& row) {
  return !rules.late_before.empty() && row.write_date < rules.late_before;
}

Look LookAt(const Window& window, const CompareRules& rules, const odoo::ListedOrder& row,
            const OrderHead* head) {
  if (rules.unknown_cancelled && head == nullptr && row.state == kCancelledState)
    return Look::kRead;
  const Look look = Decide(window, row, head);
  if (look != Look::kDrop || !IsConfirmedState(row.state)) return look;
  const bool dead_letter = head->status == DeliveryStatus::kDead && head->content_hash.empty() &&
                           !head->imported && rules.dead_letters;
  // Its content was never seen here, and is owed.
  if (head->imported && head->status == DeliveryStatus::kPending) return Look::kRead;
  const bool undecided =
      rules.undecided && head->observed_at < window.date.value_or(absl::InfiniteFuture());
  return dead_letter || undecided ? Look::kRead : look;
}

}  // namespace

HeadsById ById(std::vector<OrderHead> heads) {
  HeadsById by_id;
  for (OrderHead& head : heads) by_id.emplace(head.order, std::move(head));
  return by_id;
}

const OrderHead* Find(const HeadsById& heads, OrderId id) {
  const auto found = heads.find(id);
  return found == heads.end() ? nullptr : &found->second;
}

std::vector<OrderId> IdsOf(const std::vector<odoo::ListedOrder>& rows) {
  std::vector<OrderId> ids;
  ids.reserve(rows.size());
  for (const odoo::ListedOrder& row : rows) ids.push_back(row.id);
  return ids;
}

WantedOrder Wanting(OrderId id, std::string write_date, const OrderHead* head) {
  WantedOrder wanted;
  wanted.id = id;
  wanted.write_date = std::move(write_date);
  if (head != nullptr) wanted.head = *head;
  return wanted;
}

OrderComparer::OrderComparer(const PollingOptions& options, OrderIngest& ingest)
    : options_(options), ingest_(ingest), page_size_(options.page_size) {}

Task<absl::StatusOr<odoo::OrderPage>> OrderComparer::List(absl::Time from, OrderId after) {
  while (true) {
    auto page = co_await ingest_.client().ListOrders(from, after, page_size_);
    if (page.ok() || odoo::ErrorKindOf(page.status()) != odoo::ErrorKind::kTooMuch) co_return page;
    if (page_size_ / 2 < kSmallestPage) co_return page;
    page_size_ /= 2;
  }
}

Task<absl::StatusOr<OrderComparer::Wanted>> OrderComparer::Compare(Rows rows, CompareRules rules) {
  Wanted wanted;
  if (rows.empty()) co_return wanted;
  auto found = co_await ingest_.Heads(IdsOf(rows));
  CO_RETURN_IF_ERROR(found);
  const HeadsById heads = ById(std::move(*found));
  IngestBatch batch = ingest_.NewBatch();
  IngestBatch late = ingest_.NewBatch();
  late.late_find = true;
  for (odoo::ListedOrder& row : rows) {
    const OrderHead* head = Find(heads, row.id);
    const bool is_late = IsLate(rules, row);
    switch (LookAt(ingest_.window(), rules, row, head)) {
      case Look::kDrop:
        break;
      case Look::kRead: {
        // A dead letter that Odoo did not touch was found in time.
        const bool known =
            head != nullptr && head->write_date == row.write_date && head->content_hash.empty();
        wanted.push_back(Wanting(row.id, std::move(row.write_date), head));
        wanted.back().late = is_late && !known;
        wanted.back().even_cancelled = rules.unknown_cancelled;
        break;
      }
      case Look::kCancel: {
        CancelledOrder cancelled{row.id, std::move(row.write_date), false};
        (is_late ? late : batch).cancelled.push_back(std::move(cancelled));
        break;
      }
    }
  }
  CO_RETURN_IF_ERROR(co_await ingest_.Commit(std::move(batch)));
  CO_RETURN_IF_ERROR(co_await ingest_.Commit(std::move(late)));
  co_return wanted;
}

Task<absl::Status> OrderComparer::LookUp(std::vector<OrderId> ids, CompareRules rules) {
  const auto size = static_cast<std::size_t>(options_.page_size);
  for (std::size_t next = 0; next < ids.size(); next += size) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(next);
    const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), next + size));
    std::vector<OrderId> part(begin, end);
    auto wanted = co_await LookUpPart(std::move(part), rules);
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<OrderComparer::Wanted>> OrderComparer::LookUpPart(std::vector<OrderId> ids,
                                                                      CompareRules rules) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto page = co_await ingest_.client().LookUp(ids);
  if (odoo::ErrorKindOf(page.status()) == odoo::ErrorKind::kRecord) {
    // One of them is forbidden, which is not the same as gone.
    *step = OrderIngest::Step();
    co_return co_await LookUpHalves(std::move(ids), std::move(rules));
  }
  CO_RETURN_IF_ERROR(page);
  std::set<OrderId> gone(ids.begin(), ids.end());
  for (const odoo::ListedOrder& row : page->orders) gone.erase(row.id);
  auto found = co_await ingest_.Heads(std::vector<OrderId>(gone.begin(), gone.end()));
  CO_RETURN_IF_ERROR(found);
  IngestBatch batch = ingest_.NewBatch();
  for (const OrderHead& head : *found) {
    if (head.condition != OrderCondition::kCancelled)
      batch.cancelled.push_back({head.order, "", false});
  }
  CO_RETURN_IF_ERROR(co_await ingest_.Commit(std::move(batch)));
  co_return co_await Compare(std::move(page->orders), std::move(rules));
}

// Halves: one forbidden order among a thousand costs twenty calls, not a thousand.
Task<absl::StatusOr<OrderComparer::Wanted>> OrderComparer::LookUpHalves(std::vector<OrderId> ids,
                                                                        CompareRules rules) {
  Wanted all;
  if (ids.size() < 2) co_return all;
  const auto middle = ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2);
  std::vector<OrderId> first(ids.begin(), middle);
  std::vector<OrderId> second(middle, ids.end());
  auto wanted = co_await LookUpPart(std::move(first), rules);
  CO_RETURN_IF_ERROR(wanted);
  all = std::move(*wanted);
  wanted = co_await LookUpPart(std::move(second), std::move(rules));
  CO_RETURN_IF_ERROR(wanted);
  std::move(wanted->begin(), wanted->end(), std::back_inserter(all));
  co_return all;
}

}  // namespace poller
