#include "tests/support/receiver_control.h"

#include <boost/json/array.hpp>
#include <string>
#include <utility>

namespace poller::test {
namespace {

namespace json = boost::json;

json::value TimeOrNull(absl::Time time) {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return {};
  return json::value(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()));
}

json::object Summary(const WebhookReceiver& receiver) {
  const ReceiverSummary summary = receiver.Summary();
  json::array violations;
  for (const ReceiverViolation& violation : receiver.Violations()) {
    violations.push_back({{"what", violation.what},
                          {"connection_id", violation.connection_id},
                          {"order_id", violation.order_id},
                          {"webhook_id", violation.webhook_id},
                          {"detail", violation.detail}});
  }
  return {{"attempts", summary.attempts},
          {"accepted_ids", summary.accepted_ids},
          {"accepted_orders", summary.accepted_orders},
          {"tests", summary.tests},
          {"refused", summary.refused},
          {"unanswered", summary.unanswered},
          {"bad_signatures", summary.bad_signatures},
          {"duplicates", summary.duplicates},
          {"repeats", summary.repeats},
          {"violation_count", summary.violations},
          {"violations", std::move(violations)}};
}

json::object Orders(const WebhookReceiver& receiver) {
  json::array orders;
  for (const ReceivedOrder& order : receiver.Orders()) {
    orders.push_back({{"connection_id", order.connection_id},
                      {"order_id", order.order_id},
                      {"name", order.name},
                      {"revision", order.accepted_revision},
                      {"newest_revision", order.newest_revision},
                      {"event", order.event},
                      {"state", order.state},
                      {"write_date", order.write_date},
                      {"amount_total", order.amount_total},
                      {"attempts", order.attempts},
                      {"accepted", order.accepted},
                      {"first_at", TimeOrNull(order.first_at)},
                      {"accepted_at", TimeOrNull(order.accepted_at)}});
  }
  return {{"orders", std::move(orders)}};
}

json::object Attempts(const WebhookReceiver& receiver) {
  json::array attempts;
  for (const ReceivedAttempt& attempt : receiver.Attempts()) {
    attempts.push_back({{"number", attempt.number},
                        {"at", TimeOrNull(attempt.at)},
                        {"connection_id", attempt.connection_id},
                        {"webhook_id", attempt.webhook_id},
                        {"order_id", attempt.order_id},
                        {"revision", attempt.revision},
                        {"event", attempt.event},
                        {"verdict", VerdictName(attempt.verdict)},
                        {"status", attempt.status}});
  }
  return {{"attempts", std::move(attempts)}};
}

TestReply SetMode(WebhookReceiver& receiver, const ControlBody& body) {
  using Kind = ReceiverBehaviour::Kind;
  const std::string kind = body.Text("kind", "answer");
  ReceiverBehaviour behaviour;
  if (kind == "hang") {
    behaviour.kind = Kind::kHang;
  } else if (kind == "reset-before") {
    behaviour.kind = Kind::kResetBefore;
  } else if (kind == "reset-after") {
    behaviour.kind = Kind::kResetAfter;
  } else if (kind != "answer") {
    return ControlError(400, "kind: must be answer, hang, reset-before or reset-after");
  }
  behaviour.status = static_cast<int>(body.Int("status", 200));
  if (behaviour.status < 200 || behaviour.status > 599) {
    return ControlError(400, "status: must be 200 to 599");
  }
  if (body.Has("retry_after")) behaviour.retry_after = absl::Seconds(body.Int("retry_after"));
  behaviour.delay = absl::Milliseconds(body.Int("delay_ms"));
  behaviour.times = static_cast<int>(body.Int("times", -1));
  if (body.Has("seconds")) behaviour.until = receiver.Now() + absl::Seconds(body.Number("seconds"));
  receiver.SetBehaviour(behaviour, body.Text("connection_id"));
  return ControlAnswer({{"ok", true}});
}

}  // namespace

TestReply HandleReceiverControl(WebhookReceiver& receiver, const TestRequest& request) {
  const std::string what = request.path.substr(std::string("/receiver/").size());
  if (request.method == "GET") {
    if (what == "summary") return ControlAnswer(Summary(receiver));
    if (what == "orders") return ControlAnswer(Orders(receiver));
    if (what == "attempts") return ControlAnswer(Attempts(receiver));
    return ControlError(404, "no such view: " + what);
  }
  const std::optional<ControlBody> body = ControlBody::Parse(request);
  if (!body.has_value()) return ControlError(400, "the body must be a JSON object");
  if (what == "mode") return SetMode(receiver, *body);
  if (what == "order-status") {
    receiver.SetOrderStatus(body->Int("order_id"), static_cast<int>(body->Int("status")),
                            body->Text("connection_id"));
  } else if (what == "secrets") {
    if (body->Text("secret").empty()) return ControlError(400, "secret: must not be empty");
    receiver.AddSecret(body->Text("connection_id"), body->Text("secret"));
  } else if (what == "clear") {
    receiver.Clear();
  } else {
    return ControlError(404, "no such action: " + what);
  }
  return ControlAnswer({{"ok", true}});
}

}  // namespace poller::test
