#include "core/polling/poll_window.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/polling/line_stamps.h"

namespace poller {
namespace {

constexpr absl::Duration kCredible = absl::Hours(24);

bool Near(absl::Time a, absl::Time b) { return absl::AbsDuration(a - b) < kCredible; }

bool SawLine(const OrderHead* head, const odoo::ListedLine& line) {
  if (head == nullptr) return false;
  // Recorded before stamps were: the newest is all that is known.
  if (head->line_stamps.empty()) return line.write_date <= head->line_write_date;
  return HasLineStamp(head->line_stamps, {line.id, line.write_date});
}

}  // namespace

std::optional<absl::Time> CredibleDate(std::optional<absl::Time> date, absl::Time mark,
                                       absl::Time now) {
  if (!date.has_value()) return std::nullopt;
  if (Near(*date, now)) return date;
  if (mark != absl::InfinitePast() && Near(*date, mark)) return date;
  return std::nullopt;
}

absl::Time WindowStart(absl::Time mark, absl::Duration overlap) { return mark - overlap; }

std::optional<absl::Time> RestartFrom(const Window& window, absl::Time mark) {
  if (!window.date.has_value() || mark <= *window.date) return std::nullopt;
  return *window.date - window.overlap;
}

absl::Time SweepStart(absl::Time mark, absl::Time sweep_mark, absl::Time started,
                      absl::Duration window, absl::Duration overlap) {
  const absl::Time last = sweep_mark == absl::InfinitePast() ? started : sweep_mark;
  return std::max(std::min(mark - window, last - overlap), started - overlap);
}

bool NeedsLastLook(const Window& window, std::string_view write_date, absl::Time observed_at) {
  if (!window.date.has_value()) return false;  // nothing leaves a window that does not move
  const auto written = ParseOdooTime(write_date);
  if (!written.ok()) return false;
  return *written <= *window.date - window.overlap && observed_at < *written + window.overlap;
}

bool IsYoung(const Window& window, std::string_view write_date, std::optional<absl::Time> read_at,
             const OrderHead* head) {
  const auto written = ParseOdooTime(write_date);
  if (written.ok() && read_at.has_value() && *written + window.young <= *read_at) return false;
  const bool again = head != nullptr && head->write_date == write_date;
  if (!again) return true;
  if (!read_at.has_value()) return false;
  return head->observed_at + window.young > *read_at;
}

Look Decide(const Window& window, const odoo::ListedOrder& row, const OrderHead* head) {
  if (!IsConfirmedState(row.state)) {
    // The listing itself tells the state, so that a cancelled order needs no second look.
    const bool known = head == nullptr || (head->condition == OrderCondition::kCancelled &&
                                           head->write_date == row.write_date);
    return known ? Look::kDrop : Look::kCancel;
  }
  if (head == nullptr || head->write_date != row.write_date) return Look::kRead;
  if (head->condition == OrderCondition::kCancelled || head->young) return Look::kRead;
  return NeedsLastLook(window, row.write_date, head->observed_at) ? Look::kRead : Look::kDrop;
}

void AddLine(LineNews& news, const odoo::ListedLine& line, const OrderHead* head) {
  news.newest = std::max(news.newest, line.write_date);
  if (SawLine(head, line)) return;
  if (news.oldest_unseen.empty() || line.write_date < news.oldest_unseen)
    news.oldest_unseen = line.write_date;
}

bool NeedsLineLook(const Window& window, const LineNews& news, const OrderHead* head,
                   absl::Time started) {
  const auto written = ParseOdooTime(news.newest);
  if (!written.ok()) return true;
  if (head == nullptr) return *written >= started;
  if (!news.oldest_unseen.empty()) return true;
  // Edited again within the second that was read.
  return NeedsLastLook(window, news.newest, head->observed_at);
}

bool IsConfirmedState(std::string_view state) { return state == "sale" || state == "done"; }

}  // namespace poller
