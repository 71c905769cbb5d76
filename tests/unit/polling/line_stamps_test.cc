// What an order's head remembers of its lines.
#include "core/polling/line_stamps.h"

#include <gtest/gtest.h>

namespace poller {
namespace {

constexpr char kEarly[] = "2026-01-15 10:30:00";
constexpr char kLate[] = "2026-01-15 10:31:00";

TEST(LineStampsTest, TakeLittleRoomWhereLinesAreWrittenAndNumberedTogether) {
  EXPECT_EQ(
      EncodeLineStamps({{991, kLate}, {1003, kLate}, {990, kEarly}, {993, kLate}, {992, kLate}}),
      "2026-01-15 10:31:00=991-993,1003;2026-01-15 10:30:00=990");
  EXPECT_EQ(EncodeLineStamps({}), "");
}

TEST(LineStampsTest, KnowWhatTheyHoldAndNothingElse) {
  const std::string stamps =
      EncodeLineStamps({{991, kLate}, {992, kLate}, {993, kLate}, {1003, kLate}, {990, kEarly}});
  for (const std::int64_t line : {991, 992, 993, 1003}) {
    EXPECT_TRUE(HasLineStamp(stamps, {line, kLate})) << line;
    EXPECT_FALSE(HasLineStamp(stamps, {line, kEarly})) << line;
  }
  EXPECT_TRUE(HasLineStamp(stamps, {990, kEarly}));
  EXPECT_FALSE(HasLineStamp(stamps, {990, kLate}));
  EXPECT_FALSE(HasLineStamp(stamps, {994, kLate}));
  EXPECT_FALSE(HasLineStamp(stamps, {99, kLate}));
  EXPECT_FALSE(HasLineStamp(stamps, {991, "2026-01-15 10:29:00"})) << "a late commit";
}

TEST(LineStampsTest, OfAnOrderWithoutEndTheNewestAreKeptAndTheOldestCountAsSeen) {
  std::vector<LineStamp> lines;
  // No two of them share a run.
  for (int i = 0; i < 2000; ++i) lines.push_back({1000 + 2 * i, i < 100 ? kLate : kEarly});
  const std::string stamps = EncodeLineStamps(lines);
  EXPECT_LE(stamps.size(), 2049u);
  EXPECT_TRUE(HasLineStamp(stamps, {1000, kLate}));
  EXPECT_FALSE(HasLineStamp(stamps, {1001, kLate}));
  EXPECT_TRUE(HasLineStamp(stamps, {1000 + 2 * 1999, kEarly})) << "left out";
  EXPECT_TRUE(HasLineStamp(stamps, {77, "2026-01-15 10:00:00"})) << "older than what is kept";
}

}  // namespace
}  // namespace poller
