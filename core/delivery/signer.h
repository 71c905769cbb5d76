// Signatures as the Standard Webhooks specification says. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/base/secret.h"

namespace poller {

// The value of the webhook-signature header: "v1,<base64>" for each secret, separated by spaces.
// HMAC-SHA256 over "id.timestamp.body". A secret "whsec_..." holds the key in base64 behind the
// prefix (not base64: taken raw, prefix and all); any other is the key itself.
std::string SignWebhook(const std::vector<Secret>& secrets, std::string_view webhook_id,
                        absl::Time timestamp, std::string_view body);

}  // namespace poller
