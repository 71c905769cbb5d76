#include "core/crypto/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/status.h"
#include "core/crypto/encoding.h"
#include "core/crypto/hash.h"

namespace poller {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr SealContext kPlace{"connection", "uid7", "api_key"};

class AeadTest : public ::testing::Test {
 protected:
  AeadTest() { CryptoInit(); }
  Aead aead_{Secret(std::string(32, 'k'))};
};

TEST_F(AeadTest, OpensWhatItSealed) {
  for (const std::string& plain :
       {std::string(), std::string("s3cret"), std::string(100000, '\0')}) {
    const std::string sealed = aead_.Seal(plain, kPlace, SystemRandom());
    EXPECT_EQ(sealed.size(), plain.size() + 1 + 24 + 16);
    const auto opened = aead_.Open(sealed, kPlace);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(*opened, plain);
  }
}

TEST_F(AeadTest, SealsTheSameTextDifferentlyEachTime) {
  EXPECT_NE(aead_.Seal("x", kPlace, SystemRandom()), aead_.Seal("x", kPlace, SystemRandom()));
}

TEST_F(AeadTest, AValueMovedElsewhereDoesNotOpen) {
  const std::string sealed = aead_.Seal("s3cret", kPlace, SystemRandom());
  for (const SealContext& other :
       {SealContext{"token", "uid7", "api_key"}, SealContext{"connection", "uid8", "api_key"},
        SealContext{"connection", "uid7", "secret"},
        SealContext{"connectionu", "id7", "api_key"}}) {
    EXPECT_EQ(aead_.Open(sealed, other).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(AeadTest, AnyFlippedBitIsNoticed) {
  const std::string sealed = aead_.Seal("ab", kPlace, SystemRandom());
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string damaged = sealed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(aead_.Open(damaged, kPlace).status().code(), absl::StatusCode::kDataLoss) << bit;
  }
  EXPECT_FALSE(aead_.Open("", kPlace).ok());
  EXPECT_FALSE(aead_.Open(sealed.substr(0, sealed.size() - 1), kPlace).ok());
}

TEST_F(AeadTest, AnotherKeyDoesNotOpenIt) {
  const std::string sealed = aead_.Seal("s3cret", kPlace, SystemRandom());
  EXPECT_FALSE(Aead(Secret(std::string(32, 'j'))).Open(sealed, kPlace).ok());
}

class KeyRingTest : public AeadTest {
 protected:
  const Secret data_key_{std::string(32, 'd')};
};

TEST_F(KeyRingTest, AGeneratedKeyHasTheFormOfAFernetKey) {
  const Secret key = GenerateMasterKey(SystemRandom());
  EXPECT_EQ(key.size(), 44u);
  EXPECT_EQ(key.Reveal().back(), '=');
  EXPECT_EQ(Base64UrlDecode(key.Reveal())->size(), 32u);
  EXPECT_FALSE(key == GenerateMasterKey(SystemRandom()));
}

TEST_F(KeyRingTest, PassesOverBlankLinesAndComments) {
  const std::string key = GenerateMasterKey(SystemRandom()).Reveal();
  const auto ring = KeyRing::Parse(Secret("# made today\n\n  " + key + " \r\n"));
  ASSERT_TRUE(ring.ok());
  EXPECT_EQ(ring->SealingKeyId(), KeyRing::Parse(Secret(key))->SealingKeyId());
}

TEST_F(KeyRingTest, ABadLineIsNamedWithoutItsContent) {
  const std::string key = GenerateMasterKey(SystemRandom()).Reveal();
  const auto ring = KeyRing::Parse(Secret(key + "\nhunter2\n"));
  EXPECT_EQ(ring.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Message(ring.status())), HasSubstr("line 2"));
  EXPECT_THAT(std::string(Message(ring.status())), Not(HasSubstr("hunter2")));
  EXPECT_EQ(KeyRing::Parse(Secret("# nothing\n")).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(KeyRingTest, TheLastKeySealsAndAllOpen) {
  const std::string older = GenerateMasterKey(SystemRandom()).Reveal();
  const std::string newer = GenerateMasterKey(SystemRandom()).Reveal();
  const auto first = KeyRing::Parse(Secret(older));
  const auto both = KeyRing::Parse(Secret(older + "\n" + newer));
  ASSERT_TRUE(first.ok() && both.ok());
  const auto opened = both->OpenDataKey(first->SealDataKey(data_key_, SystemRandom()));
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(*opened == data_key_);
  EXPECT_FALSE(first->OpenDataKey(both->SealDataKey(data_key_, SystemRandom())).ok());
}

TEST_F(KeyRingTest, TheWrongKeyNamesTheIdOfTheKeyThatIsNeeded) {
  const auto right = KeyRing::Parse(GenerateMasterKey(SystemRandom()));
  const auto wrong = KeyRing::Parse(GenerateMasterKey(SystemRandom()));
  const auto opened = wrong->OpenDataKey(right->SealDataKey(data_key_, SystemRandom()));
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(Message(opened.status())), HasSubstr(right->SealingKeyId()));
}

TEST_F(KeyRingTest, ADamagedEnvelopeIsNotTakenForAWrongKey) {
  const auto ring = KeyRing::Parse(GenerateMasterKey(SystemRandom()));
  std::string envelope = ring->SealDataKey(data_key_, SystemRandom());
  envelope.back() = static_cast<char>(envelope.back() ^ 1);
  EXPECT_EQ(ring->OpenDataKey(envelope).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ring->OpenDataKey("").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace poller
