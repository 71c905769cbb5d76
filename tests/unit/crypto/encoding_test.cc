#include "core/crypto/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poller {
namespace {

using ::testing::Eq;
using ::testing::Optional;

// RFC 4648, section 10.
TEST(EncodingTest, Base64AndBase32MatchTheVectorsOfTheRfc) {
  EXPECT_EQ(Base64Encode(""), "");
  EXPECT_EQ(Base64Encode("f"), "Zg==");
  EXPECT_EQ(Base64Encode("fo"), "Zm8=");
  EXPECT_EQ(Base64Encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base32LowerEncode(""), "");
  EXPECT_EQ(Base32LowerEncode("f"), "my");
  EXPECT_EQ(Base32LowerEncode("fo"), "mzxq");
  EXPECT_EQ(Base32LowerEncode("foo"), "mzxw6");
  EXPECT_EQ(Base32LowerEncode("foob"), "mzxw6yq");
  EXPECT_EQ(Base32LowerEncode("fooba"), "mzxw6ytb");
  EXPECT_EQ(Base32LowerEncode("foobar"), "mzxw6ytboi");
}

TEST(EncodingTest, TheTwoAlphabetsDifferInTheLastTwoLetters) {
  EXPECT_EQ(Base64Encode("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(Base64UrlEncode("\xfb\xff\xfe"), "-__-");
  EXPECT_THAT(Base64UrlDecode("-__-"), Optional(Eq("\xfb\xff\xfe")));
  EXPECT_EQ(Base64UrlDecode("+//+"), std::nullopt);
  EXPECT_EQ(Base64Decode("-__-"), std::nullopt);
}

TEST(EncodingTest, DecodesWithAndWithoutPadding) {
  EXPECT_THAT(Base64Decode("Zg=="), Optional(Eq("f")));
  EXPECT_THAT(Base64Decode("Zg"), Optional(Eq("f")));
  EXPECT_THAT(Base64UrlDecode("Zm8="), Optional(Eq("fo")));
  EXPECT_THAT(Base64UrlDecode(""), Optional(Eq("")));
}

TEST(EncodingTest, RefusesWhatIsNotExactlyTheEncoding) {
  for (const char* bad : {"Z", "Zg=", "Zg===", "Zg==Zg==", "Zh==", "Zm9v\n", " Zm9v", "Zm 9v",
                          "Zm9v=", "Zm9*", "===="}) {
    EXPECT_EQ(Base64Decode(bad), std::nullopt) << bad;
  }
}

TEST(EncodingTest, ZeroBytesSurviveTheRoundTrip) {
  const std::string bytes("\0a\0\xff\0", 5);
  EXPECT_THAT(Base64Decode(Base64Encode(bytes)), Optional(Eq(bytes)));
  EXPECT_EQ(HexEncode(bytes), "006100ff00");
}

TEST(EncodingTest, TwentyBytesGiveThirtyTwoLettersOfBase32) {
  EXPECT_EQ(Base32LowerEncode(std::string(20, '\xff')), std::string(32, '7'));
}

}  // namespace
}  // namespace poller
