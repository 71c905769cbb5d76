#include "core/polling/poll_cycle.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {
namespace {

// What a connection may remember of its last poll; a larger window is left to the sweep.
constexpr std::size_t kMaxRemembered = 20000;
// A write_date behind all others.
constexpr std::string_view kNoneWritten = "9999-12-31 23:59:59";

// Orders of the window that the poll before listed and this one does not. Both lists are sorted by
// id.
std::vector<OrderId> Missing(const std::vector<std::pair<OrderId, std::string>>& before,
                             const std::vector<std::pair<OrderId, std::string>>& now,
                             absl::Time from) {
  const std::string first = FormatOdooTime(from);
  std::vector<OrderId> missing;
  for (const auto& [id, write_date] : before) {
    if (write_date < first) continue;
    const auto place =
        std::lower_bound(now.begin(), now.end(), id,
                         [](const auto& row, OrderId wanted) { return row.first < wanted; });
    if (place == now.end() || place->first != id) missing.push_back(id);
  }
  return missing;
}

}  // namespace

PollCycle::PollCycle(const PollingOptions& options, OrderIngest& ingest, PassMemory& memory)
    : options_(options), ingest_(ingest), memory_(memory), comparer_(options, ingest) {}

Task<absl::Status> PollCycle::Poll() {
  WindowListing listing(ingest_, comparer_,
                        WindowStart(ingest_.state().mark, ingest_.window().overlap));
  Listed listed;
  while (!listing.complete()) {
    auto wanted = co_await Page(listing, listed);
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
  }
  CO_RETURN_IF_ERROR(co_await ReadImported());
  co_return co_await Conclude(listing.from(), std::move(listed));
}

// What another program still owed when this one took over may have been written long before the
// window. It is read by the first poll that is complete; what that could not read, by sweeps.
Task<absl::Status> PollCycle::ReadImported() {
  if (memory_.read_imported || ingest_.state().mark != ingest_.state().started)
    co_return absl::OkStatus();
  OrderId after;
  bool last = false;
  while (!last) {
    auto open = co_await ingest_.OpenOrders(std::string(kNoneWritten), after, options_.page_size);
    CO_RETURN_IF_ERROR(open);
    last = open->size() < static_cast<std::size_t>(options_.page_size);
    std::vector<OrderId> owed;
    for (const OrderHead& head : *open) {
      after = head.order;
      if (head.imported && head.status == DeliveryStatus::kPending) owed.push_back(head.order);
    }
    CO_RETURN_IF_ERROR(co_await comparer_.LookUp(std::move(owed), CompareRules()));
  }
  memory_.read_imported = true;
  co_return absl::OkStatus();
}

// The orders of the next page that are to be read; those that are cancelled are committed at once.
Task<absl::StatusOr<std::vector<WantedOrder>>> PollCycle::Page(WindowListing& listing,
                                                               Listed& listed) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto rows = co_await listing.Next();
  CO_RETURN_IF_ERROR(rows);
  for (const odoo::ListedOrder& row : *rows) listed.emplace_back(row.id, row.write_date);
  CompareRules rules;
  // The first poll after a restore lists all that was written since the backup.
  rules.unknown_cancelled =
      ingest_.state().held_since.has_value() && ingest_.connection().settings.send_cancelled;
  co_return co_await comparer_.Compare(std::move(*rows), std::move(rules));
}

// What belongs to the end of a complete window alone: orders that went, the mark, the log.
Task<absl::Status> PollCycle::Conclude(absl::Time from, Listed listed) {
  std::vector<OrderId> open = memory_.suspects;
  std::erase_if(open, [this](OrderId id) { return ingest_.HasCompared(id); });
  CompareRules rules;
  rules.undecided = true;
  CO_RETURN_IF_ERROR(co_await comparer_.LookUp(std::move(open), std::move(rules)));
  const std::set<OrderId> before(memory_.suspects.begin(), memory_.suspects.end());
  std::vector<OrderId> suspects = Missing(memory_.listed, listed, from);
  std::erase_if(suspects, [&](OrderId id) { return before.contains(id); });
  suspects.insert(suspects.end(), ingest_.undecided().begin(), ingest_.undecided().end());
  std::sort(suspects.begin(), suspects.end());
  suspects.erase(std::unique(suspects.begin(), suspects.end()), suspects.end());

  IngestBatch last = ingest_.NewBatch();
  last.mark = ingest_.window().date.value_or(ingest_.state().mark);
  CO_RETURN_IF_ERROR(co_await ingest_.Conclude(std::move(last), "poll"));
  if (listed.size() > kMaxRemembered) listed.clear();
  listed.shrink_to_fit();
  memory_.listed = std::move(listed);
  memory_.suspects = std::move(suspects);
  co_return absl::OkStatus();
}

}  // namespace poller
