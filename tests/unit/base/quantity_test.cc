// Durations and sizes of core/base/text.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using testing::HasSubstr;

TEST(ParseDurationTest, ReadsEveryUnitAndTheirCombination) {
  const std::vector<std::pair<std::string, absl::Duration>> cases = {
      {"0", absl::ZeroDuration()},
      {"0s", absl::ZeroDuration()},
      {"90s", absl::Seconds(90)},
      {"5m", absl::Minutes(5)},
      {"1h", absl::Hours(1)},
      {"72h", absl::Hours(72)},
      {"7d", absl::Hours(24 * 7)},
      {"250ms", absl::Milliseconds(250)},
      {"1h30m", absl::Minutes(90)},
      {"1d2h3m4s5ms",
       absl::Hours(26) + absl::Minutes(3) + absl::Seconds(4) + absl::Milliseconds(5)},
      {"1s500ms", absl::Milliseconds(1500)},
      {"007s", absl::Seconds(7)},
      {"36600d", absl::Hours(24) * 36600},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(ParseDuration(text), IsOkAndHolds(expected)) << text;
  }
}

TEST(ParseDurationTest, RefusesWhatIsAmbiguousAndSaysWhatIsAccepted) {
  for (const std::string text :
       {"", "5", "00", "s", "5 m", " 5m", "5m ", "-5m", "+5m", "1.5h", "5M", "5min", "1m1h", "1m1m",
        "5us", "1h30", "0x5s", "5\nm", "١s"}) {
    EXPECT_THAT(ParseDuration(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("90s, 5m")))
        << text;
  }
}

TEST(ParseDurationTest, RefusesWhatWouldOverflow) {
  for (const std::string text :
       {"36601d", "36600d1ms", "9223372036854775807d", "9223372036854775807ms",
        "9223372036854775808ms", "99999999999999999999999s"}) {
    EXPECT_THAT(ParseDuration(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(FormatDurationTest, IsTheShortestTextThatReadsBackEqual) {
  const std::vector<std::pair<absl::Duration, std::string>> cases = {
      {absl::ZeroDuration(), "0s"},
      {absl::Seconds(59), "59s"},
      {absl::Seconds(60), "1m"},
      {absl::Minutes(5), "5m"},
      {absl::Minutes(90), "1h30m"},
      {absl::Hours(72), "3d"},
      {absl::Hours(36), "1d12h"},
      {absl::Milliseconds(250), "250ms"},
      {absl::Milliseconds(61'001), "1m1s1ms"},
  };
  for (const auto& [duration, text] : cases) {
    EXPECT_EQ(poller::FormatDuration(duration), text);
    EXPECT_THAT(ParseDuration(text), IsOkAndHolds(duration));
  }
}

TEST(FormatDurationTest, ShowsWhatCannotBeRead) {
  EXPECT_EQ(poller::FormatDuration(absl::InfiniteDuration()), "infinite");
  EXPECT_EQ(poller::FormatDuration(-absl::InfiniteDuration()), "-infinite");
  EXPECT_EQ(poller::FormatDuration(absl::Minutes(-5)), "-5m");
  EXPECT_EQ(poller::FormatDuration(absl::Microseconds(900)), "0s");
  EXPECT_EQ(poller::FormatDuration(absl::Microseconds(-900)), "0s");
}

TEST(ParseBytesTest, ReadsBinaryUnits) {
  EXPECT_THAT(ParseBytes("0"), IsOkAndHolds(0));
  EXPECT_THAT(ParseBytes("512"), IsOkAndHolds(512));
  EXPECT_THAT(ParseBytes("64KiB"), IsOkAndHolds(65'536));
  EXPECT_THAT(ParseBytes("32MiB"), IsOkAndHolds(32 << 20));
  EXPECT_THAT(ParseBytes("1GiB"), IsOkAndHolds(1 << 30));
  EXPECT_THAT(ParseBytes("8388607TiB"), IsOkAndHolds(8388607LL << 40));
  EXPECT_THAT(ParseBytes("9223372036854775807"),
              IsOkAndHolds(std::numeric_limits<std::int64_t>::max()));
}

TEST(ParseBytesTest, RefusesEverythingElse) {
  for (const std::string text : {"", "KiB", "64kB", "64KB", "64kib", "64 KiB", "-1", "1.5GiB",
                                 "8388608TiB", "9223372036854775808", "512B", "1MiBx"}) {
    EXPECT_THAT(ParseBytes(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(FormatBytesTest, UsesTheLargestUnitThatDivides) {
  EXPECT_EQ(FormatBytes(0), "0");
  EXPECT_EQ(FormatBytes(512), "512");
  EXPECT_EQ(FormatBytes(1025), "1025");
  EXPECT_EQ(FormatBytes(1536 << 10), "1536KiB");
  EXPECT_EQ(FormatBytes(32 << 20), "32MiB");
  EXPECT_EQ(FormatBytes(1LL << 40), "1TiB");
  EXPECT_EQ(FormatBytes(-1024), "-1KiB");
}

}  // namespace
}  // namespace poller
