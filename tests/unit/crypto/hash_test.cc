#include "core/crypto/hash.h"

#include <gtest/gtest.h>

#include "core/crypto/encoding.h"

namespace poller {
namespace {

// RFC 4231: test cases 1, 2, 3, 4, 6 and 7.
TEST(HmacSha256Test, MatchesTheVectorsOfTheRfc) {
  EXPECT_EQ(HexEncode(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HexEncode(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexEncode(HmacSha256(std::string(20, '\xaa'), std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  std::string counted;
  for (char c = 1; c <= 25; ++c) counted += c;
  EXPECT_EQ(HexEncode(HmacSha256(counted, std::string(50, '\xcd'))),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(HexEncode(HmacSha256(std::string(131, '\xaa'),
                                 "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(
      HexEncode(HmacSha256(std::string(131, '\xaa'),
                           "This is a test using a larger than block-size key and a larger than "
                           "block-size data. The key needs to be hashed before being used by the "
                           "HMAC algorithm.")),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

// RFC 7693, appendix A, and the reference implementation's keyed vectors (blake2b-kat.txt).
TEST(Blake2bTest, MatchesTheKnownAnswers) {
  EXPECT_EQ(HexEncode(Blake2b("abc", 64)),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
  std::string key;
  for (int i = 0; i < 64; ++i) key += static_cast<char>(i);
  EXPECT_EQ(HexEncode(Blake2b("", 64, key)),
            "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
            "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568");
  EXPECT_EQ(HexEncode(Blake2b("", 32)),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST(Blake2bTest, PartsThatJoinToTheSameTextDiffer) {
  EXPECT_NE(Blake2bParts({"ab", "c"}, 20), Blake2bParts({"a", "bc"}, 20));
  EXPECT_NE(Blake2bParts({"abc"}, 20), Blake2bParts({"abc", ""}, 20));
  EXPECT_EQ(Blake2bParts({"ab", "c"}, 20), Blake2bParts({"ab", "c"}, 20));
}

TEST(Blake2bTest, TheKeyChangesTheDigest) {
  EXPECT_NE(Blake2b("x", 20, std::string(32, 'k')), Blake2b("x", 20, std::string(32, 'l')));
  EXPECT_NE(Blake2b("x", 20, std::string(32, 'k')), Blake2b("x", 20));
}

}  // namespace
}  // namespace poller
