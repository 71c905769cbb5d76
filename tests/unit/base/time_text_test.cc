// Points in time of core/base/text.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "core/base/text.h"
#include "tests/support/status_matchers.h"

namespace poller {
namespace {

absl::Time Utc(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  return absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, second),
                         absl::UTCTimeZone());
}

TEST(FormatTimeTest, IsRfc3339InUtcWithMilliseconds) {
  EXPECT_EQ(poller::FormatTime(Utc(2026, 1, 15, 10, 31, 2) + absl::Milliseconds(120)),
            "2026-01-15T10:31:02.120Z");
  EXPECT_EQ(poller::FormatTime(Utc(2026, 1, 15) - absl::Microseconds(1)),
            "2026-01-14T23:59:59.999Z");
  EXPECT_EQ(poller::FormatTime(absl::UnixEpoch()), "1970-01-01T00:00:00.000Z");
}

TEST(ParseTimeTest, ReadsTheAcceptedForms) {
  const absl::Time noon = Utc(2026, 1, 15, 10, 31, 2);
  const std::vector<std::pair<std::string, absl::Time>> cases = {
      {"2026-01-15T10:31:02Z", noon},
      {"2026-01-15t10:31:02z", noon},
      {"2026-01-15T11:31:02+01:00", noon},
      {"2026-01-15T04:01:02-06:30", noon},
      {"2026-01-15T10:31:02.5Z", noon + absl::Milliseconds(500)},
      {"2026-01-15T10:31:02.123456789Z", noon + absl::Nanoseconds(123'456'789)},
      {"2026-01-15 10:31:02", noon},
      {"2026-01-15", Utc(2026, 1, 15)},
      {"2024-02-29", Utc(2024, 2, 29)},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(ParseTime(text), IsOkAndHolds(expected)) << text;
  }
}

TEST(ParseTimeTest, ReadsBackWhatFormatTimeWrites) {
  const absl::Time time = Utc(2031, 12, 31, 23, 59, 59) + absl::Milliseconds(7);
  EXPECT_THAT(ParseTime(poller::FormatTime(time)), IsOkAndHolds(time));
}

TEST(ParseTimeTest, RefusesOtherFormsAndDatesThatDoNotExist) {
  for (const std::string text : {"",
                                 "now",
                                 "2026",
                                 "2026-1-15",
                                 "2026-02-29",
                                 "2026-13-01",
                                 "2026-00-10",
                                 "2026-01-32",
                                 "2026-01-15T10:31:02",
                                 "2026-01-15T24:00:00Z",
                                 "2026-01-15T10:60:00Z",
                                 "2026-01-15T10:31:60Z",
                                 "2026-01-15T10:31Z",
                                 "2026-01-15T10:31:02.Z",
                                 "2026-01-15T10:31:02+0100",
                                 "2026-01-15T10:31:02+24:00",
                                 "2026-01-15T10:31:02+01:60",
                                 "2026-01-15T10:31:02Zx",
                                 " 2026-01-15",
                                 "2026-01-15 ",
                                 "2026-01-15  10:31:02",
                                 "0000-01-01",
                                 "-026-01-15"}) {
    EXPECT_THAT(ParseTime(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(ParseOdooTimeTest, ReadsOdoosFormAlone) {
  EXPECT_THAT(ParseOdooTime("2026-01-15 10:31:02"), IsOkAndHolds(Utc(2026, 1, 15, 10, 31, 2)));
  for (const std::string text :
       {"", "false", "2026-01-15", "2026-01-15T10:31:02", "2026-01-15 10:31:02Z",
        "2026-01-15 10:31:02.123", "2026-02-30 10:31:02", "2026-01-15 10:31"}) {
    EXPECT_THAT(ParseOdooTime(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(FormatOdooTimeTest, TruncatesToTheSecond) {
  EXPECT_EQ(FormatOdooTime(Utc(2026, 1, 15, 10, 31, 2) + absl::Milliseconds(999)),
            "2026-01-15 10:31:02");
  EXPECT_EQ(FormatOdooTime(absl::UnixEpoch() - absl::Milliseconds(1)), "1969-12-31 23:59:59");
}

TEST(ParseHttpDateTest, ReadsAllThreeFormsOfTheStandard) {
  const absl::Time time = Utc(1994, 11, 6, 8, 49, 37);
  EXPECT_THAT(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), IsOkAndHolds(time));
  EXPECT_THAT(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), IsOkAndHolds(time));
  EXPECT_THAT(ParseHttpDate("Sun Nov  6 08:49:37 1994"), IsOkAndHolds(time));
  EXPECT_THAT(ParseHttpDate("Wed Jan 15 10:31:02 2026"), IsOkAndHolds(Utc(2026, 1, 15, 10, 31, 2)));
  EXPECT_THAT(ParseHttpDate("Thursday, 15-Jan-26 10:31:02 GMT"),
              IsOkAndHolds(Utc(2026, 1, 15, 10, 31, 2)));
}

TEST(ParseHttpDateTest, TakesALeapSecondAsTheNext) {
  EXPECT_THAT(ParseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT"), IsOkAndHolds(Utc(2017, 1, 1)));
}

TEST(ParseHttpDateTest, RefusesEverythingElse) {
  for (const std::string text :
       {"", "0", "120", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "1994-11-06T08:49:37Z"}) {
    EXPECT_THAT(ParseHttpDate(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace poller
