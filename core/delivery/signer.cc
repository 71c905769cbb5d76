#include "core/delivery/signer.h"

#include <optional>

#include "core/crypto/encoding.h"
#include "core/crypto/hash.h"

namespace poller {
namespace {

constexpr std::string_view kEncodedSecretPrefix = "whsec_";

Secret KeyOf(const Secret& secret) {
  const std::string_view text = secret.Reveal();
  if (!text.starts_with(kEncodedSecretPrefix)) return secret;
  std::optional<std::string> key = Base64Decode(text.substr(kEncodedSecretPrefix.size()));
  if (!key.has_value() || key->empty()) return secret;
  return Secret(*std::move(key));
}

}  // namespace

std::string SignWebhook(const std::vector<Secret>& secrets, std::string_view webhook_id,
                        absl::Time timestamp, std::string_view body) {
  std::string message(webhook_id);
  message += '.';
  message += std::to_string(absl::ToUnixSeconds(timestamp));
  message += '.';
  message += body;
  std::string signatures;
  for (const Secret& secret : secrets) {
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1,";
    signatures += Base64Encode(HmacSha256(KeyOf(secret).Reveal(), message));
  }
  return signatures;
}

}  // namespace poller
