#include "core/polling/poll_cycle.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"

namespace poller {
namespace {

// A page that is still too much at this size will not get better by asking for less.
constexpr int kSmallestPage = 10;
// What a connection may remember of its last poll; a larger window is left to the sweep.
constexpr std::size_t kMaxRemembered = 20000;

std::map<OrderId, OrderHead> ById(std::vector<OrderHead> heads) {
  std::map<OrderId, OrderHead> by_id;
  for (OrderHead& head : heads) by_id.emplace(head.order, std::move(head));
  return by_id;
}

const OrderHead* Find(const std::map<OrderId, OrderHead>& heads, OrderId id) {
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

PollCycle::PollCycle(const IngestDeps& deps, const PollingOptions& options, OrderIngest& ingest,
                     PassMemory& memory)
    : deps_(deps),
      options_(options),
      ingest_(ingest),
      memory_(memory),
      began_(deps.clock.Read()),
      page_size_(options.page_size) {}

Task<absl::Status> PollCycle::Poll() {
  if (ingest_.state().mark == absl::InfinitePast()) co_return co_await Start();
  WindowPass pass;
  pass.from = WindowStart(ingest_.state().mark, ingest_.window().overlap);
  co_return co_await RunWindow(std::move(pass));
}

Task<absl::Status> PollCycle::RunWindow(WindowPass pass) {
  Progress progress;
  progress.pass = std::move(pass);
  while (!progress.complete) {
    auto wanted = co_await WindowPage(progress);
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
  }
  co_return co_await Conclude(progress);
}

// The orders of the next page that are to be read; those that are cancelled are committed at once.
Task<absl::StatusOr<PollCycle::Wanted>> PollCycle::WindowPage(Progress& progress) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto page = co_await List(progress.pass.from, progress.after);
  CO_RETURN_IF_ERROR(page);
  if (progress.first) {
    progress.first = false;
    // Of the FIRST answer: what commits while we page would fall behind a later one.
    ingest_.SetWindowDate(ingest_.Credible(page->date));
    const auto restart = RestartFrom(ingest_.window(), ingest_.state().mark);
    if (restart.has_value() && *restart < progress.pass.from) {
      deps_.log.Warning("Odoo's clock was set back",
                        {{"connection", ingest_.connection().id},
                         {"was", poller::FormatTime(ingest_.state().mark)},
                         {"is", poller::FormatTime(*ingest_.window().date)}});
      progress.pass.from = *restart;
      page = co_await List(progress.pass.from, progress.after);
      CO_RETURN_IF_ERROR(page);
    }
  }
  progress.complete = page->complete || page->orders.empty();
  if (!page->orders.empty()) progress.after = page->orders.back().id;
  ingest_.result().listed += static_cast<std::int64_t>(page->orders.size());
  for (const odoo::ListedOrder& row : page->orders)
    progress.listed.emplace_back(row.id, row.write_date);
  co_return co_await Compare(std::move(page->orders), /*again=*/false);
}

Task<absl::StatusOr<PollCycle::Wanted>> PollCycle::Compare(Rows rows, bool again) {
  Wanted wanted;
  if (rows.empty()) co_return wanted;
  auto found = co_await ingest_.Heads(IdsOf(rows));
  CO_RETURN_IF_ERROR(found);
  const auto heads = ById(std::move(*found));
  IngestBatch batch = ingest_.NewBatch();
  for (odoo::ListedOrder& row : rows) {
    const OrderHead* head = Find(heads, row.id);
    Look look = Decide(ingest_.window(), row, head);
    // A reading that decided nothing is repeated, unless this pass has done so already.
    if (again && look == Look::kDrop && IsConfirmedState(row.state) &&
        head->observed_at < ingest_.window().date.value_or(absl::InfiniteFuture())) {
      look = Look::kRead;
    }
    switch (look) {
      case Look::kDrop:
        break;
      case Look::kRead:
        wanted.push_back(Wanting(row.id, std::move(row.write_date), head));
        break;
      case Look::kCancel:
        batch.cancelled.push_back({row.id, std::move(row.write_date), false});
        break;
    }
  }
  CO_RETURN_IF_ERROR(co_await ingest_.Commit(std::move(batch)));
  co_return wanted;
}

// What belongs to the end of a complete window alone: orders that went, the mark, the log.
Task<absl::Status> PollCycle::Conclude(Progress& progress) {
  const bool poll = progress.pass.moves == PassMark::kPoll;
  std::vector<OrderId> suspects;
  if (poll) {
    std::vector<OrderId> open = memory_.suspects;
    std::erase_if(open, [this](OrderId id) { return ingest_.HasCompared(id); });
    CO_RETURN_IF_ERROR(co_await LookUpSuspects(std::move(open)));
    const std::set<OrderId> before(memory_.suspects.begin(), memory_.suspects.end());
    suspects = Missing(memory_.listed, progress.listed, progress.pass.from);
    std::erase_if(suspects, [&](OrderId id) { return before.contains(id); });
    suspects.insert(suspects.end(), ingest_.undecided().begin(), ingest_.undecided().end());
    std::sort(suspects.begin(), suspects.end());
    suspects.erase(std::unique(suspects.begin(), suspects.end()), suspects.end());
  }
  IngestBatch last = ingest_.NewBatch();
  if (poll) last.mark = ingest_.window().date;
  if (progress.pass.moves == PassMark::kSweep) last.sweep_mark = ingest_.window().date;
  CO_RETURN_IF_ERROR(co_await Finish(std::move(last), progress.pass.kind));
  if (!poll) co_return absl::OkStatus();
  if (progress.listed.size() > kMaxRemembered) progress.listed.clear();
  progress.listed.shrink_to_fit();
  memory_.listed = std::move(progress.listed);
  memory_.suspects = std::move(suspects);
  co_return absl::OkStatus();
}

Task<absl::Status> PollCycle::LookUpSuspects(std::vector<OrderId> suspects) {
  const auto size = static_cast<std::size_t>(options_.batch_size);
  for (std::size_t next = 0; next < suspects.size(); next += size) {
    const auto begin = suspects.begin() + static_cast<std::ptrdiff_t>(next);
    const auto end =
        suspects.begin() + static_cast<std::ptrdiff_t>(std::min(suspects.size(), next + size));
    std::vector<OrderId> part(begin, end);
    auto wanted = co_await LookUpPart(std::move(part));
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<PollCycle::Wanted>> PollCycle::LookUpPart(std::vector<OrderId> ids) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto page = co_await ingest_.client().LookUp(ids);
  if (odoo::ErrorKindOf(page.status()) == odoo::ErrorKind::kRecord) {
    // One of them is forbidden, which is not the same as gone. Such orders are rare: one call each
    // finds it.
    *step = OrderIngest::Step();
    co_return co_await LookUpOneByOne(std::move(ids));
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
  co_return co_await Compare(std::move(page->orders), /*again=*/true);
}

Task<absl::StatusOr<PollCycle::Wanted>> PollCycle::LookUpOneByOne(std::vector<OrderId> ids) {
  Wanted all;
  if (ids.size() < 2) co_return all;
  for (const OrderId id : ids) {
    std::vector<OrderId> one(1, id);
    auto wanted = co_await LookUpPart(std::move(one));
    CO_RETURN_IF_ERROR(wanted);
    std::move(wanted->begin(), wanted->end(), std::back_inserter(all));
  }
  co_return all;
}

// --- the beginning of a connection ---

// Every start begins "now"; what else `start_from` asks for is fetched behind the polls, as
// history.
Task<absl::Status> PollCycle::Start() {
  auto begun = co_await BeginBaseline();
  CO_RETURN_IF_ERROR(begun);
  Baseline baseline = std::move(*begun);
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
  co_return co_await Finish(std::move(last), "start");
}

// Fixes the moment at which the connection begins, before anything is read: what is confirmed while
// the baseline is read, or between a crash in it and the next try, comes after that moment and is
// delivered.
Task<absl::StatusOr<PollCycle::Baseline>> PollCycle::BeginBaseline() {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto page = co_await ingest_.client().NewestOrders(options_.start_newest);
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

Task<absl::StatusOr<PollCycle::Wanted>> PollCycle::BaselinePage(Baseline& baseline) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  const absl::Time from =
      std::max(absl::UnixEpoch(), WindowStart(baseline.at, ingest_.window().overlap));
  auto page = co_await List(from, baseline.after);
  CO_RETURN_IF_ERROR(page);
  baseline.complete = page->complete || page->orders.empty();
  if (!page->orders.empty()) baseline.after = page->orders.back().id;
  ingest_.result().listed += static_cast<std::int64_t>(page->orders.size());
  co_return co_await Unknown(baseline, std::move(page->orders), false);
}

// Those of `rows` that belong to the baseline and are not recorded yet. `seen`: all of them were
// there when the connection began; of others, those written in its very second may be younger.
Task<absl::StatusOr<PollCycle::Wanted>> PollCycle::Unknown(const Baseline& baseline, Rows rows,
                                                           bool seen) {
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

// --- lines ---

Task<absl::Status> PollCycle::Lines() {
  LineProgress progress;
  progress.mark = ingest_.state().line_mark;
  if (progress.mark == absl::InfinitePast()) progress.mark = ingest_.state().mark;
  if (progress.mark == absl::InfinitePast()) co_return absl::OkStatus();  // not begun
  progress.from = WindowStart(progress.mark, ingest_.window().overlap);
  while (!progress.complete) {
    auto wanted = co_await LinePage(progress);
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
  }
  IngestBatch last = ingest_.NewBatch();
  last.line_mark = ingest_.window().date;
  CO_RETURN_IF_ERROR(co_await Finish(std::move(last), "lines"));
  // No later line query names these again.
  memory_.suspects.insert(memory_.suspects.end(), ingest_.undecided().begin(),
                          ingest_.undecided().end());
  co_return absl::OkStatus();
}

Task<absl::StatusOr<PollCycle::Wanted>> PollCycle::LinePage(LineProgress& progress) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  const absl::Time dated_from =
      std::max(absl::UnixEpoch(), progress.mark - ingest_.connection().settings.track_age);
  auto page = co_await ingest_.client().ListChangedLines(progress.from, dated_from, progress.after,
                                                         page_size_);
  CO_RETURN_IF_ERROR(page);
  if (progress.first) {
    progress.first = false;
    ingest_.SetWindowDate(ingest_.Credible(page->date));
    if (const auto restart = RestartFrom(ingest_.window(), progress.mark); restart.has_value()) {
      progress.from = *restart;
      page = co_await ingest_.client().ListChangedLines(progress.from, dated_from, progress.after,
                                                        page_size_);
      CO_RETURN_IF_ERROR(page);
    }
  }
  progress.complete = page->complete || page->lines.empty();
  if (!page->lines.empty()) progress.after = page->lines.back().id;
  std::map<OrderId, std::string> newest;
  for (const odoo::ListedLine& line : page->lines) {
    std::string& write_date = newest[line.order];
    write_date = std::max(write_date, line.write_date);
  }
  std::vector<OrderId> ids;
  for (const auto& entry : newest) ids.push_back(entry.first);
  auto found = co_await ingest_.Heads(std::move(ids));
  CO_RETURN_IF_ERROR(found);
  const auto heads = ById(std::move(*found));
  Wanted wanted;
  for (const auto& [id, write_date] : newest) {
    const OrderHead* head = Find(heads, id);
    if (!NeedsLineLook(ingest_.window(), write_date, head, ingest_.started())) continue;
    wanted.push_back(Wanting(id, head != nullptr ? head->write_date : "", head));
  }
  co_return wanted;
}

// --- both ---

Task<absl::StatusOr<odoo::OrderPage>> PollCycle::List(absl::Time from, OrderId after) {
  while (true) {
    auto page = co_await ingest_.client().ListOrders(from, after, page_size_);
    if (page.ok() || odoo::ErrorKindOf(page.status()) != odoo::ErrorKind::kTooMuch) co_return page;
    if (page_size_ / 2 < kSmallestPage) co_return page;
    page_size_ /= 2;
  }
}

// The last commit of a complete pass. A pass that found nothing leaves no log row.
Task<absl::Status> PollCycle::Finish(IngestBatch last, std::string kind) {
  PassResult& result = ingest_.result();
  result.duration = deps_.clock.Monotonic() - began_.mono;
  if (result.Found() > 0) {
    SyncLog log;
    log.connection = ingest_.connection().id;
    log.connection_name = ingest_.connection().settings.name;
    log.kind = std::move(kind);
    log.started_at = began_.wall;
    log.duration = result.duration;
    log.listed = result.listed;
    log.recorded = result.recorded;
    log.unchanged = result.unchanged;
    log.dead = result.dead;
    last.log = std::move(log);
  }
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  co_return co_await ingest_.Commit(std::move(last));
}

}  // namespace poller
