#include "core/polling/poll_cycle.h"

#include <algorithm>
#include <set>

#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {
namespace {

// What a connection may remember of its last poll; a larger window is left to the sweep.
constexpr std::size_t kMaxRemembered = 20000;

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

PollCycle::PollCycle(Logger& log, const PollingOptions& options, OrderIngest& ingest,
                     PassMemory& memory)
    : log_(log), ingest_(ingest), memory_(memory), comparer_(options, ingest) {}

Task<absl::Status> PollCycle::Poll() {
  Progress progress;
  progress.from = WindowStart(ingest_.state().mark, ingest_.window().overlap);
  while (!progress.complete) {
    auto wanted = co_await WindowPage(progress);
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
  }
  co_return co_await Conclude(progress);
}

// The orders of the next page that are to be read; those that are cancelled are committed at once.
Task<absl::StatusOr<std::vector<WantedOrder>>> PollCycle::WindowPage(Progress& progress) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto page = co_await comparer_.List(progress.from, progress.after);
  CO_RETURN_IF_ERROR(page);
  if (progress.first) {
    progress.first = false;
    // Of the FIRST answer: what commits while we page would fall behind a later one.
    ingest_.SetWindowDate(ingest_.Credible(page->date));
    const auto restart = RestartFrom(ingest_.window(), ingest_.state().mark);
    if (restart.has_value() && *restart < progress.from) {
      log_.Warning("Odoo's clock was set back",
                   {{"connection", ingest_.connection().id},
                    {"was", poller::FormatTime(ingest_.state().mark)},
                    {"is", poller::FormatTime(*ingest_.window().date)}});
      progress.from = *restart;
      page = co_await comparer_.List(progress.from, progress.after);
      CO_RETURN_IF_ERROR(page);
    }
  }
  progress.complete = page->complete || page->orders.empty();
  if (!page->orders.empty()) progress.after = page->orders.back().id;
  ingest_.result().listed += static_cast<std::int64_t>(page->orders.size());
  for (const odoo::ListedOrder& row : page->orders)
    progress.listed.emplace_back(row.id, row.write_date);
  CompareRules rules;
  co_return co_await comparer_.Compare(std::move(page->orders), std::move(rules));
}

// What belongs to the end of a complete window alone: orders that went, the mark, the log.
Task<absl::Status> PollCycle::Conclude(Progress& progress) {
  std::vector<OrderId> open = memory_.suspects;
  std::erase_if(open, [this](OrderId id) { return ingest_.HasCompared(id); });
  CompareRules rules;
  rules.undecided = true;
  CO_RETURN_IF_ERROR(co_await comparer_.LookUp(std::move(open), std::move(rules)));
  const std::set<OrderId> before(memory_.suspects.begin(), memory_.suspects.end());
  std::vector<OrderId> suspects = Missing(memory_.listed, progress.listed, progress.from);
  std::erase_if(suspects, [&](OrderId id) { return before.contains(id); });
  suspects.insert(suspects.end(), ingest_.undecided().begin(), ingest_.undecided().end());
  std::sort(suspects.begin(), suspects.end());
  suspects.erase(std::unique(suspects.begin(), suspects.end()), suspects.end());

  IngestBatch last = ingest_.NewBatch();
  last.mark = ingest_.window().date.value_or(ingest_.state().mark);
  CO_RETURN_IF_ERROR(co_await ingest_.Conclude(std::move(last), "poll"));
  if (progress.listed.size() > kMaxRemembered) progress.listed.clear();
  progress.listed.shrink_to_fit();
  memory_.listed = std::move(progress.listed);
  memory_.suspects = std::move(suspects);
  co_return absl::OkStatus();
}

}  // namespace poller
