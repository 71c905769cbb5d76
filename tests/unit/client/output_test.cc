// Tables, text and times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "client/output/table.h"
#include "client/output/text.h"
#include "core/base/text.h"

namespace poller::client {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Printed(const Table& table, const Look& look) {
  std::ostringstream out;
  table.Print(out, look);
  return out.str();
}

std::size_t WidestLine(const std::string& text) {
  std::size_t widest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, DisplayWidth(line));
  return widest;
}

TEST(TableTest, AlignsTextLeftAndNumbersRight) {
  Table table({{"NAME"}, {"COUNT", true}, {"NOTE"}});
  table.Add({"a", "7", "x"});
  table.Add({"long", "1234567", ""});
  EXPECT_EQ(Printed(table, {}),
            "NAME    COUNT  NOTE\n"
            "a           7  x\n"
            "long  1234567\n");
}

TEST(TableTest, FitsTheTerminalByCuttingWhatMayShrink) {
  Table table({{"ID", true}, {"NAME", false, true}, {"STATE"}});
  table.Add({"1", "a name that is much too long for this", "healthy"});
  const std::string text = Printed(table, {.width = 30});
  EXPECT_LE(WidestLine(text), 30U);
  EXPECT_THAT(text, HasSubstr("…"));
  EXPECT_THAT(text, HasSubstr("healthy"));
}

TEST(TableTest, LeavesOutTheLastColumnsWhenNothingElseHelps) {
  Table table({{"ID", true}, {"NAME"}, {"STATE"}});
  table.Add({"1", "a-name-of-20-letters", "healthy"});
  const std::string text = Printed(table, {.width = 25});
  EXPECT_LE(WidestLine(text), 25U);
  EXPECT_THAT(text, HasSubstr("a-name-of-20-letters"));
  EXPECT_THAT(text, Not(HasSubstr("STATE")));
}

TEST(TableTest, NeverSplitsCharactersAtAnyWidth) {
  Table table({{"NAME", false, true}, {"ERROR", false, true}});
  table.Add({"Ñandú 日本語の店 🛒 café", "e\xcc\x81t\xc3\xa9 — señal débil"});
  for (std::size_t width = 1; width <= 60; ++width) {
    const std::string text = Printed(table, {.width = width});
    EXPECT_TRUE(IsValidUtf8(text)) << width;
    EXPECT_LE(WidestLine(text), width) << width;
  }
}

TEST(TableTest, ALastColumnThatDoesNotFitGoesBelowItsRow) {
  Table table({{"ID", true}, {"NAME", false, true}, {"WHY", false, true, true}});
  table.Add({"1", "well", ""});
  table.Add({"2", "ill", "the receiver answers 503 since this morning"});
  EXPECT_EQ(Printed(table, {.width = 30}),
            "ID  NAME\n"
            " 1  well\n"
            " 2  ill\n"
            "    the receiver answers 503\n"
            "    since this morning\n");
  EXPECT_EQ(Printed(table, {.width = 80}),
            "ID  NAME  WHY\n"
            " 1  well\n"
            " 2  ill   the receiver answers 503 since this morning\n");
}

TEST(WrapWidthTest, BreaksAtBlanksAndCutsWhatIsTooMuch) {
  using testing::ElementsAre;
  EXPECT_THAT(WrapWidth("one two three", 7, 9), ElementsAre("one two", "three"));
  EXPECT_THAT(WrapWidth("abcdefghij k", 4, 9), ElementsAre("abcd", "efgh", "ij k"));
  EXPECT_THAT(WrapWidth("one two three four", 7, 2), ElementsAre("one two", "three…"));
  EXPECT_THAT(WrapWidth("店店店", 4, 9), ElementsAre("店店", "店"));
  EXPECT_THAT(WrapWidth("", 4, 9), testing::IsEmpty());
}

TEST(CountedTest, OneIsOne) {
  EXPECT_EQ(Counted(1, "delivery", "deliveries"), "1 delivery");
  EXPECT_EQ(Counted(0, "delivery", "deliveries"), "0 deliveries");
}

TEST(TableTest, WithoutATerminalNothingIsCut) {
  Table table({{"NAME", false, true}});
  table.Add({std::string(300, 'x')});
  EXPECT_THAT(Printed(table, {}), HasSubstr(std::string(300, 'x')));
}

TEST(TableTest, ColourDoesNotCountAsWidth) {
  Table table({{"A"}, {"B"}});
  table.Add({Cell("bad", Colour::kBad), "x"});
  EXPECT_THAT(Printed(table, {.width = 80, .colour = true}), HasSubstr("\x1b[31mbad\x1b[0m  x\n"));
}

TEST(DisplayWidthTest, KnowsWideAndCombiningCharacters) {
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("日本"), 4U);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1U);
  EXPECT_EQ(DisplayWidth("ñ"), 1U);
  EXPECT_EQ(DisplayWidth("हिन्दी"), 5U);  // two vowel signs with a place of their own
  EXPECT_EQ(DisplayWidth("שָׁלוֹם"), 4U);
  EXPECT_EQ(DisplayWidth("한국"), 4U);
  EXPECT_EQ(DisplayWidth("✅⌚"), 4U);
  EXPECT_EQ(DisplayWidth("ｱ"), 1U);  // half-width
  EXPECT_EQ(DisplayWidth("a\u200bb\u2060"), 2U);
}

TEST(PrintableTest, EscapesWhatATerminalWouldObey) {
  EXPECT_THAT(Printable("\x1b]0;title\x07"), Not(HasSubstr("\x1b")));
  EXPECT_THAT(Printable("a\nb"), Not(HasSubstr("\n")));
  EXPECT_EQ(Printable("a\xe2\x80\xae"
                      "b"),
            "a\\u202eb");
  EXPECT_TRUE(IsValidUtf8(Printable("\xff\xfe")));
}

TEST(RelativeTimeTest, SaysItShortly) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  EXPECT_EQ(RelativeTime(now, now), "now");
  EXPECT_EQ(RelativeTime(now - absl::Seconds(5), now), "5s ago");
  EXPECT_EQ(RelativeTime(now - absl::Minutes(5), now), "5m ago");
  EXPECT_EQ(RelativeTime(now - absl::Hours(5), now), "5h ago");
  EXPECT_EQ(RelativeTime(now - absl::Hours(24 * 5), now), "5d ago");
  EXPECT_EQ(RelativeTime(now + absl::Seconds(30), now), "in 30s");
}

TEST(ShortDurationTest, HasTheUnitThatPeopleWant) {
  EXPECT_EQ(ShortDuration(absl::Milliseconds(120)), "120ms");
  EXPECT_EQ(ShortDuration(absl::Milliseconds(3440)), "3.4s");
  EXPECT_EQ(ShortDuration(absl::Seconds(125)), "2m5s");
}

}  // namespace
}  // namespace poller::client
