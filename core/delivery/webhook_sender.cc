#include "core/delivery/webhook_sender.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/crypto/encoding.h"
#include "core/delivery/signer.h"
#include "core/orders/payload.h"

namespace poller {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

// A foreign text, fit to be stored and shown: masked first, because escaping could hide a secret.
std::string Shown(const Connection& connection, std::string_view text) {
  std::vector<Secret> secrets = {connection.settings.webhook.secret,
                                 connection.settings.odoo.api_key};
  if (connection.rotation) secrets.push_back(connection.rotation->previous);
  return SafeText(MaskSecrets(text, secrets));
}

std::string AnswerText(const Connection& connection, const HttpResponse& response) {
  std::string text = "HTTP " + std::to_string(response.status);
  if (response.body.empty()) return text;
  return Shown(connection, text + ": " + response.body);
}

std::string JsonText(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20) {
      quoted += "\\u00";
      quoted += kHex[byte >> 4U];
      quoted += kHex[byte & 15U];
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace

WebhookSender::WebhookSender(HttpClient& http, const Clock& clock, WebhookSenderOptions options)
    : http_(http), clock_(clock), options_(std::move(options)) {}

Task<SendResult> WebhookSender::Send(std::shared_ptr<const Connection> connection,
                                     std::shared_ptr<const ClaimedDelivery> claimed) const {
  auto body = RenderBody(claimed->content, claimed->event, claimed->webhook_connection_id,
                         claimed->revision);
  if (!body.ok()) {
    SendResult result;
    result.verdict.receiver = AttemptVerdict::Receiver::kSilent;
    result.attempt.number = claimed->attempt;
    result.attempt.at = clock_.Now();
    result.attempt.failure = "content";
    result.attempt.error = SafeText(Message(body.status()));
    co_return result;
  }
  SendResult result =
      co_await Post(std::move(connection), claimed->webhook_id, claimed->webhook_connection_id,
                    *std::move(body), claimed->attempt);
  // An operator asked for one attempt now and sees how it ended. Given back, it would be due at
  // once again.
  if (claimed->forced) result.release = false;
  co_return result;
}

Task<SendResult> WebhookSender::SendTest(std::shared_ptr<const Connection> connection,
                                         std::string webhook_id) const {
  std::string webhook_connection_id = connection->WebhookConnectionId();
  std::string body = TestBody(connection->settings.name);
  co_return co_await Post(std::move(connection), std::move(webhook_id),
                          std::move(webhook_connection_id), std::move(body), 1);
}

Task<SendResult> WebhookSender::Post(std::shared_ptr<const Connection> connection,
                                     std::string webhook_id, std::string webhook_connection_id,
                                     std::string body, int number) const {
  const Instant start = clock_.Read();
  HttpRequest request =
      MakeRequest(*connection, webhook_id, webhook_connection_id, std::move(body), start.wall);
  const absl::StatusOr<HttpResponse> response = co_await http_.Send(std::move(request));

  SendResult result;
  result.attempt.number = number;
  result.attempt.at = start.wall;
  result.attempt.duration = clock_.Monotonic() - start.mono;
  if (response.ok()) {
    result.attempt.http_status = response->status;
    result.verdict =
        ClassifyAnswer(response->status, response->Header("Retry-After"), response->Header("Date"),
                       clock_.Now(), options_.max_retry_after);
    if (!result.verdict.accepted) {
      result.attempt.failure = "refused";
      result.attempt.error = AnswerText(*connection, *response);
    }
    co_return result;
  }
  const std::optional<TransportFailure> failure = TransportFailureOf(response.status());
  result.verdict = ClassifyTransportFailure(failure.value_or(TransportFailure::kProtocol));
  result.release = failure.has_value() && IsOurFailure(*failure) && !MayHaveBeenReceived(*failure);
  result.attempt.failure = TransportFailureName(failure.value_or(TransportFailure::kProtocol));
  result.attempt.error = Shown(*connection, Message(response.status()));
  co_return result;
}

HttpRequest WebhookSender::MakeRequest(const Connection& connection, const std::string& webhook_id,
                                       const std::string& webhook_connection_id, std::string body,
                                       absl::Time now) const {
  const WebhookSettings& webhook = connection.settings.webhook;
  HttpRequest request;
  request.url = webhook.url;
  request.timeout = options_.timeout;
  request.connect_timeout = std::min(options_.timeout, kConnectTimeout);
  request.max_response_bytes = kMaxWebhookAnswer;
  request.body_may_be_cut = true;  // a 2xx is a success, whatever else it says
  request.ca_pem = webhook.ca_pem.empty() ? options_.default_ca_pem : webhook.ca_pem;
  request.headers = {
      {"Content-Type", "application/json"},
      {"User-Agent", options_.user_agent},
      {"webhook-id", webhook_id},
      {"webhook-timestamp", std::to_string(absl::ToUnixSeconds(now))},
      {"webhook-signature", SignWebhook(connection.SigningSecrets(now), webhook_id, now, body)},
      {"X-Odoo-Connection-Id", webhook_connection_id},
  };
  if (webhook.legacy_secret_header) {
    request.headers.push_back({"X-Webhook-Secret", connection.HeaderSecret(now).Reveal()});
  }
  request.body = std::move(body);
  return request;
}

std::string TestBody(std::string_view connection_name) {
  return R"({"source":"odoo","test":true,"connection_name":)" + JsonText(connection_name) +
         R"(,"event":"connection.test"})";
}

std::string RandomWebhookId(RandomSource& random) {
  std::array<std::uint8_t, 20> bytes{};
  random.Fill(bytes);
  return "msg_" + Base32LowerEncode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace poller
