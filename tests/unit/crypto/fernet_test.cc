#include "core/crypto/fernet.h"

#include <gtest/gtest.h>

#include <string>

#include "core/crypto/hash.h"
#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using absl::StatusCode;

// Key and tokens of the specification: https://github.com/fernet/spec (generate, verify, invalid).
constexpr char kSpecKey[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
constexpr char kOtherKey[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";
constexpr char kHello[] =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4I"
    "wqDA==";
constexpr char kWrongSignature[] =
    "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQU"
    "FBQQ==";
constexpr char kTooShort[] = "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==";
constexpr char kNoBase64[] =
    "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1Ys"
    "UD2Q==";
constexpr char kNoWholeBlock[] =
    "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_"
    "v7mrfyudzU"
    "m";
constexpr char kWrongPadding[] =
    "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKN"
    "qOhw==";
constexpr char kWrongVector[] =
    "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZj"
    "K1zQ==";
constexpr char kOld[] =
    "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1Ys"
    "UD2Q==";
constexpr char kFromTheFuture[] =
    "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_q"
    "XQcw==";
// Made with Python's hmac and the openssl program, with the same key.
constexpr char kAccents[] =
    "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD2Az48QeldMQOvjSmzi6GgM3Z_tBhFTAlXb4bBHveDrOGNE_fRX1Vv4P0ISy1-"
    "vgEZqN0pD94tXR1fCLyioDcgo=";
constexpr char kEmpty[] =
    "gAAAAAAAAAAAAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-"
    "fWPAmoUL2uaHA3bzzdFkj4KZPWLIU8ofjIOdTFC7M0MUY"
    "D6A==";
constexpr char kNextVersion[] =
    "gQAAAAAAAAAAAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLI6l-"
    "JFbMql6Ea3MDg3oqCEpS2jug7SFqBHW5m3v45"
    "Qww==";

class FernetTest : public testing::Test {
 protected:
  FernetTest() { CryptoInit(); }
  static FernetKeys Keys(const std::string& text) {
    auto keys = FernetKeys::Parse(Secret(text));
    EXPECT_OK(keys.status());
    return keys.ok() ? *std::move(keys) : FernetKeys();
  }
  static absl::StatusOr<Secret> Open(std::string_view token) { return Keys(kSpecKey).Open(token); }
  static std::string Opened(std::string_view token) {
    const auto plain = Open(token);
    EXPECT_OK(plain.status());
    return plain.ok() ? plain->Reveal() : "";
  }
};

TEST_F(FernetTest, OpensTheTokenOfTheSpecification) { EXPECT_EQ(Opened(kHello), "hello"); }

TEST_F(FernetTest, OpensWhatOtherImplementationsSeal) {
  EXPECT_EQ(Opened(kAccents), "clé-secrète-0123456789-abcdef");
  EXPECT_EQ(Opened(kEmpty), "");
}

TEST_F(FernetTest, WhatIsStoredDoesNotExpire) {
  EXPECT_OK(Open(kOld).status());
  EXPECT_OK(Open(kFromTheFuture).status());
}

TEST_F(FernetTest, RefusesWhatIsNoToken) {
  EXPECT_THAT(Open(kTooShort), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Open(kNoBase64), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Open(""), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Open("a-plain-text-that-nobody-sealed"), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Open(kNextVersion), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(FernetTest, RefusesAWrongSignature) {
  EXPECT_THAT(Open(kWrongSignature), StatusIs(StatusCode::kPermissionDenied));
}

TEST_F(FernetTest, EveryByteOfATokenCounts) {
  const std::string token = kHello;
  for (std::size_t i = 0; i + 2 < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(Open(changed).ok()) << "byte " << i;
  }
}

TEST_F(FernetTest, RefusesWhatIsSignedAndBadlyMade) {
  EXPECT_THAT(Open(kNoWholeBlock), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(Open(kWrongPadding), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(Open(kWrongVector), StatusIs(StatusCode::kDataLoss));
}

TEST_F(FernetTest, OneOfSeveralKeysIsEnough) {
  EXPECT_THAT(Keys(kOtherKey).Open(kHello), StatusIs(StatusCode::kPermissionDenied));
  const FernetKeys both =
      Keys(std::string("# the key before\n") + kOtherKey + "\r\n\n  " + kSpecKey + "\n");
  ASSERT_OK(both.Open(kHello).status());
  EXPECT_EQ(both.Open(kHello)->Reveal(), "hello");
}

TEST_F(FernetTest, RefusesABadKeyAndDoesNotShowIt) {
  const auto bad = FernetKeys::Parse(Secret(std::string(kSpecKey) + "\nnot-a-key-but-secret\n"));
  EXPECT_THAT(bad, StatusIs(StatusCode::kInvalidArgument));
  const std::string message(Message(bad.status()));
  EXPECT_NE(message.find("line 2"), std::string::npos) << message;
  EXPECT_EQ(message.find("secret"), std::string::npos) << message;
  EXPECT_THAT(FernetKeys::Parse(Secret("# nothing\n")), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace poller
