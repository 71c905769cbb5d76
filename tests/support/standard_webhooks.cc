#include "tests/support/standard_webhooks.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <charconv>

namespace poller::test {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool SameBytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::vector<std::string_view> SplitWords(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kValid:
      return "valid";
    case Verdict::kMissingHeader:
      return "missing-header";
    case Verdict::kBadTimestamp:
      return "bad-timestamp";
    case Verdict::kStale:
      return "stale";
    case Verdict::kNoSecret:
      return "no-secret";
    case Verdict::kBadSignature:
      return "bad-signature";
  }
  return "?";
}

std::string Base64Encode(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), Bytes(bytes),
                                      static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(written));
  return out;
}

std::optional<std::string> Base64Decode(std::string_view text) {
  std::string padded(text);
  while (padded.size() % 4 != 0) padded.push_back('=');
  std::size_t padding = 0;
  while (padding < 2 && padding < padded.size() && padded[padded.size() - 1 - padding] == '=') {
    ++padding;
  }
  std::string out(padded.size() / 4 * 3 + 1, '\0');
  const int written = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), Bytes(padded),
                                      static_cast<int>(padded.size()));
  if (written < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(written) - padding);
  return out;
}

std::string WebhookKey(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (!secret.starts_with(kPrefix)) return std::string(secret);
  return Base64Decode(secret.substr(kPrefix.size())).value_or("");
}

std::string HmacSha256(std::string_view key, std::string_view message) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(message), message.size(),
       reinterpret_cast<unsigned char*>(out.data()), &size);
  out.resize(size);
  return out;
}

std::string WebhookSignature(std::string_view secret, std::string_view id,
                             std::string_view timestamp, std::string_view body) {
  std::string message;
  message.append(id).append(".").append(timestamp).append(".").append(body);
  return "v1," + Base64Encode(HmacSha256(WebhookKey(secret), message));
}

Verdict VerifyWebhook(const TestRequest& request, const std::vector<std::string>& secrets,
                      absl::Time now, absl::Duration tolerance) {
  const std::string id = request.headers.Get("webhook-id");
  const std::string timestamp = request.headers.Get("webhook-timestamp");
  const std::string signatures = request.headers.Get("webhook-signature");
  if (id.empty() || timestamp.empty() || signatures.empty()) return Verdict::kMissingHeader;
  std::int64_t seconds = 0;
  const auto [end, error] =
      std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  if (error != std::errc() || end != timestamp.data() + timestamp.size()) {
    return Verdict::kBadTimestamp;
  }
  const absl::Duration age = now - absl::FromUnixSeconds(seconds);
  if (age > tolerance || age < -tolerance) return Verdict::kStale;
  if (secrets.empty()) return Verdict::kNoSecret;
  for (const std::string& secret : secrets) {
    if (WebhookKey(secret).empty()) continue;
    const std::string expected = WebhookSignature(secret, id, timestamp, request.body);
    for (const std::string_view signature : SplitWords(signatures)) {
      if (SameBytes(signature, expected)) return Verdict::kValid;
    }
  }
  return Verdict::kBadSignature;
}

}  // namespace poller::test
