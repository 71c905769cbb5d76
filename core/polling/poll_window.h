// Which orders a poll asks for, and which of those it reads. Pure; thread-safe.
//
// The mark is the Date header of the FIRST answer of the last complete pass: Odoo's clock, never
// ours. A pass lists what was written since `mark - overlap`, because a transaction becomes visible
// up to minutes after the write_date that it carries.
//
//   what                                          which mark follows
//   first answer with a credible Date             that Date, once the pass is complete
//   Date before the mark (Odoo's clock set back)  listed again from Date - overlap; then that Date
//   no Date, or one that cannot be believed       the mark stays; the next pass lists the same
//   window again
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/model/delivery.h"
#include "core/odoo/odoo_client.h"

namespace poller {

// `date` if it can be Odoo's clock: less than a day away from `mark`, or from our own clock `now`.
// Either is enough: after a long outage the mark is old, and our own clock may be the one that is
// wrong. `mark` may be InfinitePast (there is none).
std::optional<absl::Time> CredibleDate(std::optional<absl::Time> date, absl::Time mark,
                                       absl::Time now);

// One pass's view of time.
struct Window {
  absl::Duration overlap;
  absl::Duration young;
  std::optional<absl::Time> date;  // of the pass's first answer, credible
};

// The first second that a pass lists.
absl::Time WindowStart(absl::Time mark, absl::Duration overlap);
// Where to list from instead, when the first answer tells that Odoo's clock was set back behind
// `mark`.
std::optional<absl::Time> RestartFrom(const Window& window, absl::Time mark);

// What a sweep lists: `window` before the last poll's mark, but back to the mark of the last sweep
// (InfinitePast: there was none) however long ago that was, so that no stop leaves a gap; and nothing
// of the time before the connection began at `started`, which its baseline covers.
absl::Time SweepStart(absl::Time mark, absl::Time sweep_mark, absl::Time started,
                      absl::Duration window, absl::Duration overlap);

// True if a thing written at `write_date` that was last compared at `observed_at` (Odoo's clock)
// has its last chance in this pass: it leaves the overlap, and was not compared since it could.
bool NeedsLastLook(const Window& window, std::string_view write_date, absl::Time observed_at);

// True if content read at `read_at` (Odoo's clock; nothing: unknown) may still change under the
// same write_date: its second was not over for sure. `head` is what was known before, or null. When
// Odoo's two clocks differ, or it tells no time, a second read that comes later settles it.
bool IsYoung(const Window& window, std::string_view write_date, std::optional<absl::Time> read_at,
             const OrderHead* head);

// What to do with a listed order.
enum class Look {
  kDrop,    // its head has it
  kRead,    // read it in full
  kCancel,  // cancelled, and its head does not say so
};
// `head` may be null: the order is not known.
Look Decide(const Window& window, const odoo::ListedOrder& row, const OrderHead* head);

// What a listing of lines says of one order.
struct LineNews {
  std::string newest;         // write_date of the line that was written last
  std::string oldest_unseen;  // of those that the head has not seen as they are; empty: it has all
};
// Adds a line; `head` may be null.
void AddLine(LineNews& news, const odoo::ListedLine& line, const OrderHead* head);

// True if the order is to be compared. Orders without a head are read if the newest line was written
// at or after `started`: what was changed before the connection began is not announced.
bool NeedsLineLook(const Window& window, const LineNews& news, const OrderHead* head,
                   absl::Time started);

// True for the states of a confirmed order: "sale" and, up to Odoo 16, "done".
bool IsConfirmedState(std::string_view state);

}  // namespace poller
