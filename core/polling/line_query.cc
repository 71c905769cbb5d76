#include "core/polling/line_query.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/polling/order_comparer.h"

namespace poller {
namespace {

// A page that is still too much at this size will not get better by asking for less.
constexpr int kSmallestPage = 10;

}  // namespace

LineQuery::LineQuery(const PollingOptions& options, OrderIngest& ingest)
    : ingest_(ingest), page_size_(options.page_size) {}

absl::Time LineQuery::Mark() const {
  const absl::Time mark = ingest_.state().line_mark;
  return mark == absl::InfinitePast() ? ingest_.state().mark : mark;
}

Task<absl::Status> LineQuery::Run() {
  Progress progress;
  progress.mark = Mark();
  progress.from = WindowStart(progress.mark, ingest_.window().overlap);
  CO_RETURN_IF_ERROR(co_await Compare(std::move(progress)));
  IngestBatch last = ingest_.NewBatch();
  last.line_mark = ingest_.window().date;
  co_return co_await ingest_.Conclude(std::move(last), "lines");
}

Task<absl::Status> LineQuery::Sweep(absl::Time from) {
  Progress progress;
  progress.mark = Mark();
  progress.from = from;
  progress.first = false;
  progress.late_before = FormatOdooTime(WindowStart(progress.mark, ingest_.window().overlap));
  co_return co_await Compare(std::move(progress));
}

Task<absl::Status> LineQuery::Compare(Progress progress) {
  while (!progress.complete) {
    auto wanted = co_await Page(progress);
    CO_RETURN_IF_ERROR(wanted);
    CO_RETURN_IF_ERROR(co_await ingest_.ReadAndCommit(std::move(*wanted)));
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<odoo::LinePage>> LineQuery::List(const Progress& progress) {
  const absl::Time dated_from =
      std::max(absl::UnixEpoch(), progress.mark - ingest_.connection().settings.track_age);
  while (true) {
    auto page = co_await ingest_.client().ListChangedLines(progress.from, dated_from,
                                                           progress.after, page_size_);
    if (page.ok() || odoo::ErrorKindOf(page.status()) != odoo::ErrorKind::kTooMuch) co_return page;
    if (page_size_ / 2 < kSmallestPage) co_return page;
    page_size_ /= 2;
  }
}

Task<absl::StatusOr<std::vector<WantedOrder>>> LineQuery::Page(Progress& progress) {
  auto step = co_await ingest_.Begin();
  CO_RETURN_IF_ERROR(step);
  auto page = co_await List(progress);
  CO_RETURN_IF_ERROR(page);
  if (progress.first) {
    progress.first = false;
    ingest_.SetWindowDate(ingest_.Credible(page->date));
    if (const auto restart = RestartFrom(ingest_.window(), progress.mark); restart.has_value()) {
      progress.from = *restart;
      page = co_await List(progress);
      CO_RETURN_IF_ERROR(page);
    }
  }
  progress.complete = page->complete || page->lines.empty();
  if (!page->lines.empty()) progress.after = page->lines.back().id;
  std::set<OrderId> orders;
  for (const odoo::ListedLine& line : page->lines) orders.insert(line.order);
  auto found = co_await ingest_.Heads(std::vector<OrderId>(orders.begin(), orders.end()));
  CO_RETURN_IF_ERROR(found);
  const HeadsById heads = ById(std::move(*found));
  std::map<OrderId, LineNews> news_of;
  for (const odoo::ListedLine& line : page->lines)
    AddLine(news_of[line.order], line, Find(heads, line.order));
  std::vector<WantedOrder> wanted;
  for (const auto& [id, news] : news_of) {
    const OrderHead* head = Find(heads, id);
    if (!NeedsLineLook(ingest_.window(), news, head, ingest_.started())) continue;
    wanted.push_back(Wanting(id, head != nullptr ? head->write_date : "", head));
    const std::string& since = news.oldest_unseen.empty() ? news.newest : news.oldest_unseen;
    wanted.back().late = since < progress.late_before;
    wanted.back().line_write_date = news.newest;
  }
  co_return wanted;
}

}  // namespace poller
