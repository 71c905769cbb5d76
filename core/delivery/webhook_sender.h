// Makes the request of a delivery, sends it once, and says what came of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/base/random_source.h"
#include "core/base/secret.h"
#include "core/delivery/failure_class.h"
#include "core/http/http_client.h"
#include "core/model/connection.h"
#include "core/model/delivery.h"
#include "core/storage/outbox_store.h"

namespace poller {

// Of a receiver's answer, what is read: the status decides, and of the text 2 KiB are kept.
inline constexpr std::int64_t kMaxWebhookAnswer = 16 << 10;

struct WebhookSenderOptions {
  absl::Duration timeout = absl::Seconds(20);  // of it at most 10 s to connect
  absl::Duration max_retry_after = absl::Hours(1);
  std::string default_ca_pem;
  std::string user_agent = "odoo-order-poller";
};

struct SendResult {
  SendResult() = default;  // a constructor, so that g++ 12 does not take it for an aggregate
  AttemptVerdict verdict;
  DeliveryAttempt attempt;
  // No byte of the request was sent, and nobody is to blame: the claim can be given back.
  bool release = false;
};

// Thread-safe. The collaborators outlive it.
class WebhookSender {
 public:
  WebhookSender(HttpClient& http, const Clock& clock, WebhookSenderOptions options);

  // One attempt of `claimed`. A content that cannot be rendered is a failure of the attempt that
  // blames neither the order nor the receiver ("content").
  Task<SendResult> Send(std::shared_ptr<const Connection> connection,
                        std::shared_ptr<const ClaimedDelivery> claimed) const;
  // One attempt of the test body.
  Task<SendResult> SendTest(std::shared_ptr<const Connection> connection,
                            std::string webhook_id) const;

 private:
  Task<SendResult> Post(std::shared_ptr<const Connection> connection, std::string webhook_id,
                        std::string webhook_connection_id, std::string body, int number) const;
  HttpRequest MakeRequest(const Connection& connection, const std::string& webhook_id,
                          const std::string& webhook_connection_id, std::string body,
                          absl::Time now) const;

  HttpClient& http_;
  const Clock& clock_;
  const WebhookSenderOptions options_;
};

// The body of a connection's test: {"source":"odoo","test":true,...}.
std::string TestBody(std::string_view connection_name);
// "msg_" and a random rest, for what is not a delivery.
std::string RandomWebhookId(RandomSource& random);

}  // namespace poller
