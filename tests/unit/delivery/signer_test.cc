#include "core/delivery/signer.h"

#include <gtest/gtest.h>

#include "core/crypto/hash.h"

namespace poller {
namespace {

// Values computed with `openssl dgst -sha256 -mac HMAC`.
class SignWebhookTest : public testing::Test {
 protected:
  SignWebhookTest() { CryptoInit(); }
  static std::string Sign(const std::vector<std::string>& secrets) {
    std::vector<Secret> keys;
    for (const std::string& secret : secrets) keys.emplace_back(secret);
    return SignWebhook(keys, "msg_a", absl::FromUnixSeconds(1768473000), R"({"x":1})");
  }
};

TEST_F(SignWebhookTest, MatchesThePublishedVector) {
  EXPECT_EQ(SignWebhook({Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
                        "msg_p5jXN8AQM9LWM0D4loKWxJek", absl::FromUnixSeconds(1614265330),
                        R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_F(SignWebhookTest, TakesASecretWithoutThePrefixAsItIs) {
  EXPECT_EQ(Sign({"plain old secret"}), "v1,30qni1PQsi1belQMVdNUSwjf+6jFWA+ZE65LwWDAd0I=");
}

TEST_F(SignWebhookTest, TakesWhatIsNotBase64WithItsPrefix) {
  EXPECT_EQ(Sign({"whsec_not base64!"}), "v1,5wh9UbkBUZPjjLeHm6HWQHBMPQT2WEbrfYZnaeJYeCs=");
}

TEST_F(SignWebhookTest, NeverSignsWithAnEmptyKey) {
  EXPECT_EQ(Sign({"whsec_"}), "v1,Ye0xnaQYHHQXxTJaJrS8fHgUyGzsTUvySA+kLAesneg=");
}

TEST_F(SignWebhookTest, SignsWithEverySecretInOrder) {
  EXPECT_EQ(Sign({"plain old secret", "whsec_"}),
            Sign({"plain old secret"}) + " " + Sign({"whsec_"}));
}

TEST_F(SignWebhookTest, WritesTheTimeInWholeSeconds) {
  EXPECT_EQ(SignWebhook({Secret("plain old secret")}, "msg_a",
                        absl::FromUnixSeconds(1768473000) + absl::Milliseconds(999), R"({"x":1})"),
            Sign({"plain old secret"}));
}

}  // namespace
}  // namespace poller
