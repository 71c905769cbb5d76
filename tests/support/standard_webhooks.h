// The receiving side of the Standard Webhooks specification, written from the specification over
// OpenSSL. It shares no code with the sender, so that the two check each other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/http_types.h"

namespace poller::test {

enum class Verdict {
  kValid,
  kMissingHeader,  // webhook-id, webhook-timestamp or webhook-signature
  kBadTimestamp,   // not a number of seconds
  kStale,          // outside the tolerance, in either direction
  kNoSecret,       // none is known for the sender
  kBadSignature,
};

std::string_view VerdictName(Verdict verdict);

// The key bytes of a secret: `whsec_` and base64, or any other text as it is. Empty if the base64
// is broken.
std::string WebhookKey(std::string_view secret);
std::string Base64Encode(std::string_view bytes);
std::optional<std::string> Base64Decode(std::string_view text);
std::string HmacSha256(std::string_view key, std::string_view message);
// "v1,<base64>" as a sender with `secret` must write it.
std::string WebhookSignature(std::string_view secret, std::string_view id,
                             std::string_view timestamp, std::string_view body);

// Checks headers and body against each of `secrets`: one good signature under one of them is
// enough.
Verdict VerifyWebhook(const TestRequest& request, const std::vector<std::string>& secrets,
                      absl::Time now, absl::Duration tolerance);

}  // namespace poller::test
