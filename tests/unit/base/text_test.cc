#include "core/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace poller {
namespace {

using std::string_literals::operator""s;

constexpr const char* kBad = "\xEF\xBF\xBD";

struct SafeTextCase {
  const char* name;
  std::string input;
  std::string expected;
};

class SafeTextTableTest : public testing::TestWithParam<SafeTextCase> {};

TEST_P(SafeTextTableTest, IsMadeSafe) {
  const std::string out = SafeText(GetParam().input);
  EXPECT_EQ(out, GetParam().expected);
  EXPECT_TRUE(IsValidUtf8(out));
}

INSTANTIATE_TEST_SUITE_P(
    SafeText, SafeTextTableTest,
    testing::ValuesIn(std::vector<SafeTextCase>{
        {"Empty", "", ""},
        {"Plain", "Order S00042", "Order S00042"},
        {"Accents", "Peña y Señor, Ñuñoa", "Peña y Señor, Ñuñoa"},
        {"FourBytes", "\xF0\x9F\x9A\x80", "\xF0\x9F\x9A\x80"},
        {"HighestPoint", "\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
        {"Newline", "a\nb", "a\\nb"},
        {"CarriageReturn", "a\r\nb", "a\\x0d\\nb"},
        {"Tab", "a\tb", "a\\x09b"},
        {"Escape", "\x1b[31mred", "\\x1b[31mred"},
        {"NulInside", "a\0b"s, "a\\x00b"},
        {"Delete", "a\x7f", "a\\x7f"},
        {"C1Next", "a\xC2\x85z", "a\\x85z"},
        {"C1Csi",
         "\xC2\x9B"
         "31m",
         "\\x9b31m"},
        {"NoBreakSpaceStays", "a\xC2\xA0z", "a\xC2\xA0z"},
        {"LineSeparator", "a\xE2\x80\xA8z", "a\\u2028z"},
        {"ParagraphSeparator", "a\xE2\x80\xA9z", "a\\u2029z"},
        {"RightToLeftOverride", "a\xE2\x80\xAEz", "a\\u202ez"},
        {"Isolate", "a\xE2\x81\xA6z", "a\\u2066z"},
        {"RightToLeftMark", "a\xE2\x80\x8Fz", "a\\u200fz"},
        {"ByteOrderMark", "\xEF\xBB\xBFz", "\\ufeffz"},
        {"JoinerStays", "a\xE2\x80\x8Dz", "a\xE2\x80\x8Dz"},
        {"LoneContinuation", "a\x80z", "a"s + kBad + "z"},
        {"OverlongSlash", "\xC0\xAF", std::string(kBad) + kBad},
        {"OverlongThree", "\xE0\x80\xAF", std::string(kBad) + kBad + kBad},
        {"OverlongFour", "\xF0\x80\x80\xAF", std::string(kBad) + kBad + kBad + kBad},
        {"Surrogate", "\xED\xA0\x80", std::string(kBad) + kBad + kBad},
        {"BeyondUnicode", "\xF4\x90\x80\x80", std::string(kBad) + kBad + kBad + kBad},
        {"NeverALead", "\xFF\xFE", std::string(kBad) + kBad},
        {"TruncatedTwo", "a\xC3", "a"s + kBad},
        {"TruncatedThree", "a\xE2\x82", "a"s + kBad + kBad},
        {"TruncatedBeforeText", "\xE2\x82z", std::string(kBad) + kBad + "z"},
        {"Latin1",
         "Pe\xF1"
         "a",
         "Pe"s + kBad + "a"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(SafeTextTest, KeepsNewlinesOnlyWhenAsked) {
  EXPECT_EQ(SafeText("a\nb\rc", 100, true), "a\nb\\x0dc");
}

TEST(SafeTextTest, KeepsATextOfExactlyTheLimit) { EXPECT_EQ(SafeText("12345678", 8), "12345678"); }

TEST(SafeTextTest, CutsOneByteMoreWithAnEllipsisInsideTheLimit) {
  EXPECT_EQ(SafeText("123456789", 8), "12345…");
}

TEST(SafeTextTest, NeverCutsThroughACharacterOrAnEscape) {
  EXPECT_EQ(SafeText("ññññññ", 8), "ññ…");            // 2 bytes each: 5 bytes of room hold two
  EXPECT_EQ(SafeText("abc\x01\x02\x03", 8), "abc…");  // \x01 would need 4 bytes of the 2 left
}

TEST(SafeTextTest, LimitCountsWhatIsWrittenNotWhatIsRead) {
  const std::string out = SafeText(std::string(10'000, '\x01'), 100);
  EXPECT_LE(out.size(), 100u);
  EXPECT_TRUE(out.ends_with("\\x01…"));
}

TEST(SafeTextTest, LimitBelowAnEllipsisLeavesNothing) {
  EXPECT_EQ(SafeText("abcdef", 2), "");
  EXPECT_EQ(SafeText("abcdef", 0), "");
  EXPECT_EQ(SafeText("ab", 2), "ab");
}

TEST(SafeTextTest, DefaultLimitIsTwoKibibytes) {
  EXPECT_EQ(SafeText(std::string(5000, 'x')).size(), 2048u);
}

std::vector<Secret> Secrets(const std::vector<std::string>& values) {
  std::vector<Secret> secrets;
  for (const std::string& value : values) secrets.emplace_back(value);
  return secrets;
}

TEST(MaskSecretsTest, ReplacesEveryOccurrence) {
  EXPECT_EQ(MaskSecrets("key hunter22, again hunter22!", Secrets({"hunter22"})),
            "key ***, again ***!");
}

TEST(MaskSecretsTest, LeavesShortOnesBecauseTheyAreWords) {
  EXPECT_EQ(MaskSecrets("abc is abc", Secrets({"abc", ""})), "abc is abc");
}

TEST(MaskSecretsTest, HidesTheLongerOfTwoThatContainEachOther) {
  EXPECT_EQ(MaskSecrets("x password123 y", Secrets({"password", "password123"})), "x *** y");
}

TEST(MaskSecretsTest, HidesAllOfTwoThatOverlap) {
  EXPECT_EQ(MaskSecrets("<abcdefgh>", Secrets({"abcdef", "defgh"})), "<***>");
}

TEST(MaskSecretsTest, HidesARepetitionOfItself) {
  EXPECT_EQ(MaskSecrets("aaaaaaa", Secrets({"aaaa"})), "***");
}

TEST(MaskSecretsTest, HidesUserInfoOfUrls) {
  EXPECT_EQ(MaskSecrets("GET https://user:p@ss@shop.example/x?m=a@b", {}),
            "GET https://***@shop.example/x?m=a@b");
  EXPECT_EQ(MaskSecrets("http://me@a http://b.example/", {}), "http://***@a http://b.example/");
}

TEST(MaskSecretsTest, KeepsAnAddressThatIsNoUserInfo) {
  EXPECT_EQ(MaskSecrets("see https://shop.example or write me@shop.example", {}),
            "see https://shop.example or write me@shop.example");
}

TEST(IsValidUtf8Test, AgreesWithTheStandard) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("a\0b"s));
  EXPECT_TRUE(IsValidUtf8("\xED\x9F\xBF\xEE\x80\x80"));  // the neighbours of the surrogates
  EXPECT_TRUE(IsValidUtf8("\xE0\xA0\x80\xF0\x90\x80\x80\xC2\x80"));  // the lowest of each length
  EXPECT_FALSE(IsValidUtf8("\xC1\xBF"));
  EXPECT_FALSE(IsValidUtf8("\xE0\x9F\xBF"));
  EXPECT_FALSE(IsValidUtf8("\xF0\x8F\xBF\xBF"));
  EXPECT_FALSE(IsValidUtf8("\xED\xBF\xBF"));
  EXPECT_FALSE(IsValidUtf8("\xF5\x80\x80\x80"));
  EXPECT_FALSE(IsValidUtf8("ab\xF0\x9F\x9A"));
}

}  // namespace
}  // namespace poller
