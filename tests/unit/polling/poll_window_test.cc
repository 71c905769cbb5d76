#include "core/polling/poll_window.h"

#include <gtest/gtest.h>

#include "core/base/text.h"

namespace poller {
namespace {

absl::Time At(const std::string& clock) { return ParseOdooTime("2026-01-15 " + clock).value(); }

Window At(const std::string& clock, absl::Duration overlap) {
  Window window;
  window.overlap = overlap;
  window.young = absl::Seconds(3);
  window.date = At(clock);
  return window;
}
Window Usual(const std::string& clock) { return At(clock, absl::Minutes(5)); }

OrderHead Head(const std::string& written, const std::string& observed) {
  OrderHead head;
  head.order = OrderId(1);
  head.revision = 1;
  head.write_date = "2026-01-15 " + written;
  head.observed_at = At(observed);
  return head;
}

odoo::ListedOrder Row(const std::string& written, const std::string& state = "sale") {
  odoo::ListedOrder row;
  row.id = OrderId(1);
  row.write_date = "2026-01-15 " + written;
  row.state = state;
  return row;
}

// --- the mark ---

TEST(CredibleDateTest, BelievesWhatIsNearOurClockOrTheMark) {
  const absl::Time now = At("10:00:00");
  const absl::Duration year = absl::Hours(24 * 365);
  EXPECT_EQ(CredibleDate(now + absl::Hours(23), absl::InfinitePast(), now), now + absl::Hours(23));
  EXPECT_EQ(CredibleDate(now + absl::Hours(25), absl::InfinitePast(), now), std::nullopt);
  EXPECT_EQ(CredibleDate(now - absl::Hours(25), absl::InfinitePast(), now), std::nullopt);
  EXPECT_EQ(CredibleDate(now, now - year, now), now) << "after a year's outage";
  EXPECT_EQ(CredibleDate(now - year, now - year - absl::Minutes(1), now), now - year)
      << "our clock is wrong";
  EXPECT_EQ(CredibleDate(now + year, now, now), std::nullopt);
  EXPECT_EQ(CredibleDate(std::nullopt, now, now), std::nullopt);
}

TEST(WindowStartTest, LiesAnOverlapBeforeTheMark) {
  EXPECT_EQ(WindowStart(At("10:30:00"), absl::Minutes(5)), At("10:25:00"));
}

TEST(RestartFromTest, OnlyWhenOdoosClockLiesBehindTheMark) {
  EXPECT_EQ(RestartFrom(Usual("10:31:00"), At("10:30:00")), std::nullopt);
  EXPECT_EQ(RestartFrom(Usual("10:30:00"), At("10:30:00")), std::nullopt);
  EXPECT_EQ(RestartFrom(Usual("09:30:00"), At("10:30:00")), At("09:25:00"));
  Window unknown = Usual("09:30:00");
  unknown.date = std::nullopt;
  EXPECT_EQ(RestartFrom(unknown, At("10:30:00")), std::nullopt);
}

// --- which rows are read ---

struct DecideCase {
  const char* what;
  const char* row_written;
  const char* row_state;
  const char* head_written;  // null: no head
  const char* head_observed;
  bool young = false;
  bool cancelled = false;
  Look expected = Look::kDrop;
};

// The pass's Date is 10:31:00 and the overlap 5 minutes: what was written up to 10:26:00 leaves.
constexpr DecideCase kCases[] = {
    {"unknown order", "10:30:00", "sale", nullptr, nullptr, false, false, Look::kRead},
    {"unknown order of Odoo 16", "10:30:00", "done", nullptr, nullptr, false, false, Look::kRead},
    {"known as it is", "10:30:00", "sale", "10:30:00", "10:30:30", false, false, Look::kDrop},
    {"written since", "10:30:10", "sale", "10:30:00", "10:30:05", false, false, Look::kRead},
    {"older than known", "10:29:00", "sale", "10:30:00", "10:30:05", false, false, Look::kRead},
    {"young when it was read", "10:30:00", "sale", "10:30:00", "10:30:01", true, false,
     Look::kRead},
    {"leaves, not seen since", "10:26:00", "sale", "10:26:00", "10:26:30", false, false,
     Look::kRead},
    {"leaves, seen one second too early", "10:25:30", "sale", "10:25:30", "10:30:29", false, false,
     Look::kRead},
    {"leaves, seen in its leaving pass", "10:25:30", "sale", "10:25:30", "10:30:30", false, false,
     Look::kDrop},
    {"stays one second more", "10:26:01", "sale", "10:26:01", "10:26:30", false, false,
     Look::kDrop},
    {"old, found after an outage", "08:00:00", "sale", "08:00:00", "10:00:00", false, false,
     Look::kDrop},
    {"confirmed again in the same second", "10:30:00", "sale", "10:30:00", "10:30:30", false, true,
     Look::kRead},
    {"cancelled", "10:30:10", "cancel", "10:30:00", "10:30:05", false, false, Look::kCancel},
    {"cancelled in the second that we know", "10:30:00", "cancel", "10:30:00", "10:30:05", false,
     false, Look::kCancel},
    {"cancelled and known as such", "10:30:00", "cancel", "10:30:00", "10:30:05", false, true,
     Look::kDrop},
    {"cancelled and touched", "10:30:10", "cancel", "10:30:00", "10:30:05", false, true,
     Look::kCancel},
    {"cancelled, leaves", "10:26:00", "cancel", "10:26:00", "10:26:05", false, true, Look::kDrop},
    {"cancelled and never known", "10:30:00", "cancel", nullptr, nullptr, false, false,
     Look::kDrop},
};

TEST(DecideTest, ReadsWhatMayBeNew) {
  for (const DecideCase& c : kCases) {
    std::optional<OrderHead> head;
    if (c.head_written != nullptr) {
      head = Head(c.head_written, c.head_observed);
      head->young = c.young;
      if (c.cancelled) head->condition = OrderCondition::kCancelled;
    }
    EXPECT_EQ(Decide(Usual("10:31:00"), Row(c.row_written, c.row_state),
                     head.has_value() ? &*head : nullptr),
              c.expected)
        << c.what;
  }
}

TEST(DecideTest, NothingLeavesAWindowWithoutDate) {
  Window window = Usual("10:31:00");
  window.date = std::nullopt;
  const OrderHead head = Head("10:20:00", "10:20:10");
  EXPECT_EQ(Decide(window, Row("10:20:00"), &head), Look::kDrop);
}

TEST(DecideTest, EveryRowIsLastLookedAtOnceWhateverTheRhythmOfPolls) {
  for (const int interval : {1, 7, 30, 60, 299, 300, 301, 900}) {
    OrderHead head = Head("10:00:00", "10:00:10");
    int looks = 0;
    absl::Time mark = At("10:00:10");
    for (int i = 1; i <= 1000; ++i) {
      Window window = Usual("10:00:00");
      window.date = At("10:00:10") + absl::Seconds(interval) * i;
      if (WindowStart(mark, window.overlap) > At("10:00:00")) break;  // not listed any more
      if (Decide(window, Row("10:00:00"), &head) == Look::kRead) {
        ++looks;
        head.observed_at = *window.date;
      }
      mark = *window.date;
    }
    EXPECT_EQ(looks, 1) << "polls every " << interval << " s";
  }
}

// --- the young second ---

TEST(IsYoungTest, UntilItsSecondIsSafelyOver) {
  const Window window = Usual("10:31:00");
  EXPECT_TRUE(IsYoung(window, "2026-01-15 10:30:58", At("10:31:00"), nullptr));
  EXPECT_FALSE(IsYoung(window, "2026-01-15 10:30:57", At("10:31:00"), nullptr));
  EXPECT_TRUE(IsYoung(window, "2026-01-15 10:32:00", At("10:31:00"), nullptr))
      << "the database's clock is ahead";
  EXPECT_TRUE(IsYoung(window, "2026-01-15 10:00:00", std::nullopt, nullptr))
      << "nobody knows the time";
}

TEST(IsYoungTest, SecondReadingSettlesItWhenTheClocksDoNot) {
  const Window window = Usual("10:31:00");
  const OrderHead head = Head("10:32:00", "10:31:00");
  EXPECT_TRUE(IsYoung(window, head.write_date, At("10:31:02"), &head))
      << "too soon after the first";
  EXPECT_FALSE(IsYoung(window, head.write_date, At("10:31:03"), &head));
  EXPECT_FALSE(IsYoung(window, head.write_date, std::nullopt, &head));
  EXPECT_TRUE(IsYoung(window, "2026-01-15 10:33:00", At("10:31:10"), &head)) << "written again";
}

// --- lines ---

bool Needs(const Window& window, const std::vector<odoo::ListedLine>& lines, const OrderHead* head,
           absl::Time started) {
  LineNews news;
  for (const odoo::ListedLine& line : lines) AddLine(news, line, head);
  return NeedsLineLook(window, news, head, started);
}
odoo::ListedLine Line(std::int64_t id, const std::string& clock) {
  return {.id = id, .order = OrderId(1), .write_date = "2026-01-15 " + clock};
}

TEST(NeedsLineLookTest, ComparesLinesThatTheHeadHasNotSeen) {
  const Window window = Usual("10:31:00");
  OrderHead head = Head("10:00:00", "10:20:00");
  head.line_write_date = "2026-01-15 10:10:00";
  head.line_stamps = "2026-01-15 10:10:00=7-8;2026-01-15 10:00:00=9";
  const absl::Time started = At("09:00:00");
  EXPECT_TRUE(Needs(window, {Line(7, "10:30:00")}, &head, started));
  EXPECT_FALSE(Needs(window, {Line(7, "10:10:00"), Line(9, "10:00:00")}, &head, started));
  EXPECT_TRUE(Needs(window, {Line(8, "10:10:00"), Line(9, "10:09:00")}, &head, started))
      << "committed late, under a newer line";
  head.observed_at = At("10:14:59");
  EXPECT_TRUE(Needs(window, {Line(7, "10:10:00")}, &head, started)) << "leaves the overlap";
}

TEST(NeedsLineLookTest, OfHeadsFromBeforeStampsTheNewestLineIsCompared) {
  const Window window = Usual("10:31:00");
  OrderHead head = Head("10:00:00", "10:20:00");
  head.line_write_date = "2026-01-15 10:10:00";
  const absl::Time started = At("09:00:00");
  EXPECT_TRUE(Needs(window, {Line(7, "10:30:00")}, &head, started));
  EXPECT_FALSE(Needs(window, {Line(7, "10:10:00"), Line(8, "10:09:00")}, &head, started));
}

TEST(NeedsLineLookTest, UnknownOrdersCountFromTheStart) {
  const Window window = Usual("10:31:00");
  EXPECT_TRUE(Needs(window, {Line(7, "10:30:00")}, nullptr, At("10:30:00")));
  EXPECT_FALSE(Needs(window, {Line(7, "10:29:59")}, nullptr, At("10:30:00")));
}

TEST(LineNewsTest, TellsTheNewestLineAndTheOldestThatWasNotSeen) {
  OrderHead head = Head("10:00:00", "10:20:00");
  head.line_stamps = "2026-01-15 10:10:00=7";
  LineNews news;
  AddLine(news, Line(7, "10:10:00"), &head);
  EXPECT_EQ(news.oldest_unseen, "");
  for (const char* clock : {"10:08:00", "10:05:00", "10:09:00"})
    AddLine(news, Line(8, clock), &head);
  EXPECT_EQ(news.oldest_unseen, "2026-01-15 10:05:00");
  EXPECT_EQ(news.newest, "2026-01-15 10:10:00");
}

TEST(SweepStartTest, LooksBackTheWindowOrToTheLastSweepButNotBeyondTheStart) {
  const absl::Time started = absl::FromUnixSeconds(1000000);
  const absl::Duration window = absl::Hours(48);
  const absl::Duration overlap = absl::Minutes(5);
  const absl::Time mark = started + absl::Hours(24 * 30);
  // The last sweep was an hour ago.
  EXPECT_EQ(SweepStart(mark, mark - absl::Hours(1), started, window, overlap), mark - window);
  // A stop of ten days.
  const absl::Time long_ago = mark - absl::Hours(240);
  EXPECT_EQ(SweepStart(mark, long_ago, started, window, overlap), long_ago - overlap);
  // None yet: all since the start, whose baseline covers what is before.
  EXPECT_EQ(SweepStart(mark, absl::InfinitePast(), started, window, overlap), started - overlap);
  EXPECT_EQ(
      SweepStart(started + absl::Hours(2), started + absl::Hours(1), started, window, overlap),
      started - overlap);
}

}  // namespace
}  // namespace poller
