#include "tests/support/receiver.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <mutex>

#include "core/base/clock.h"

namespace poller::test {
namespace {

namespace json = boost::json;

std::string TextOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string());
}

std::int64_t IntOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

double NumberOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_number()) return 0;
  return value->is_double() ? value->get_double()
                            : static_cast<double>(value->to_number<std::int64_t>());
}

bool IsSuccess(int status) { return status >= 200 && status < 300; }

}  // namespace

struct WebhookReceiver::Parsed {
  bool json = false;  // an object
  bool test = false;
  std::string event;
  std::string connection_id;
  std::int64_t order_id = 0;
  std::string name;
  std::int64_t revision = 0;
  std::string state;
  std::string write_date;
  double amount_total = 0;

  static Parsed From(const std::string& body) {
    Parsed parsed;
    boost::system::error_code error;
    const json::value root = json::parse(body, error);
    if (error || !root.is_object()) return parsed;
    parsed.json = true;
    const json::object& object = root.get_object();
    parsed.event = TextOf(object, "event");
    parsed.test = parsed.event == "connection.test";
    parsed.connection_id = TextOf(object, "connection_id");
    const json::value* order = object.if_contains("order");
    if (order == nullptr || !order->is_object()) return parsed;
    parsed.order_id = IntOf(order->get_object(), "id");
    parsed.name = TextOf(order->get_object(), "name");
    parsed.revision = IntOf(order->get_object(), "revision");
    parsed.state = TextOf(order->get_object(), "state");
    parsed.write_date = TextOf(order->get_object(), "write_date");
    parsed.amount_total = NumberOf(order->get_object(), "amount_total");
    return parsed;
  }
};

WebhookReceiver::WebhookReceiver(Options options) : options_(std::move(options)) {
  if (!options_.clock) options_.clock = [] { return SystemClock().Now(); };
}

const std::vector<std::string>& WebhookReceiver::SecretsFor(const TestRequest& request) const {
  static const std::vector<std::string> kNone;
  for (const std::string& sender :
       {request.headers.Get("X-Odoo-Connection-Id"), request.path, std::string()}) {
    const auto found = secrets_.find(sender);
    if (found != secrets_.end() && !found->second.empty()) return found->second;
  }
  return kNone;
}

ReceiverBehaviour* WebhookReceiver::FindBehaviour(const TestRequest& request) {
  for (const std::string& sender :
       {request.headers.Get("X-Odoo-Connection-Id"), request.path, std::string()}) {
    const auto found = behaviours_.find(sender);
    if (found == behaviours_.end()) continue;
    const ReceiverBehaviour& behaviour = found->second;
    if (behaviour.times == 0 || (behaviour.until.has_value() && Now() >= *behaviour.until)) {
      behaviours_.erase(found);
      continue;
    }
    return &found->second;
  }
  return nullptr;
}

ReceiverBehaviour WebhookReceiver::TakeBehaviour(const TestRequest& request) {
  ReceiverBehaviour* behaviour = FindBehaviour(request);
  if (behaviour == nullptr) return {};
  if (behaviour->times > 0) --behaviour->times;
  return *behaviour;
}

int WebhookReceiver::StatusFor(const ReceivedAttempt& attempt,
                               const ReceiverBehaviour& behaviour) const {
  for (const std::string& connection : {attempt.connection_id, std::string()}) {
    const auto found = order_status_.find({connection, attempt.order_id});
    if (attempt.order_id != 0 && found != order_status_.end()) return found->second;
  }
  if (!IsSuccess(behaviour.status)) return behaviour.status;
  if (attempt.verdict == Verdict::kMissingHeader || attempt.verdict == Verdict::kBadTimestamp) {
    return 400;
  }
  return attempt.verdict == Verdict::kValid ? behaviour.status : 401;
}

std::optional<TestReply> WebhookReceiver::HandleHead(const TestRequest& head) {
  const std::lock_guard lock(mu_);
  ReceiverBehaviour* behaviour = FindBehaviour(head);
  if (behaviour == nullptr || behaviour->kind != ReceiverBehaviour::Kind::kResetBefore) {
    return std::nullopt;
  }
  if (behaviour->times > 0) --behaviour->times;
  ++summary_.unanswered;
  return ResetReply();
}

TestReply WebhookReceiver::Handle(const TestRequest& request) {
  const std::lock_guard lock(mu_);
  ReceiverBehaviour behaviour = TakeBehaviour(request);
  if (behaviour.kind == ReceiverBehaviour::Kind::kResetBefore) {
    ++summary_.unanswered;
    return ResetReply();
  }
  ReceivedAttempt attempt;
  attempt.number = attempts_.size() + 1;
  attempt.at = Now();
  attempt.request = request;
  attempt.webhook_id = request.headers.Get("webhook-id");
  attempt.connection_id = request.headers.Get("X-Odoo-Connection-Id");
  const std::vector<std::string>& secrets = SecretsFor(request);
  attempt.verdict = VerifyWebhook(request, secrets, attempt.at, options_.tolerance);
  if (attempt.verdict == Verdict::kValid && options_.check_legacy_header &&
      std::find(secrets.begin(), secrets.end(), request.headers.Get("X-Webhook-Secret")) ==
          secrets.end()) {
    attempt.verdict = Verdict::kBadSignature;
  }
  ++summary_.attempts;
  const bool valid = attempt.verdict == Verdict::kValid;
  Parsed parsed;
  if (valid) {
    parsed = Parsed::From(request.body);
    attempt.event = parsed.event;
    attempt.order_id = parsed.order_id;
    attempt.revision = parsed.revision;
    Inspect(attempt, parsed);
  } else {
    ++summary_.bad_signatures;
  }
  const OrderKey order(attempt.connection_id, attempt.order_id);
  const bool about_order = valid && !parsed.test && attempt.order_id != 0;
  if (about_order && in_flight_[order]++ > 0) {
    Report("two-in-flight", attempt, "an attempt for this order is not over yet");
  }
  TestReply reply;
  if (behaviour.kind == ReceiverBehaviour::Kind::kHang) {
    ++summary_.unanswered;
    reply = HangReply();
  } else {
    attempt.status = StatusFor(attempt, behaviour);
    attempt.accepted = valid && IsSuccess(attempt.status);
    if (attempt.accepted) Accept(attempt, parsed);
    if (valid && !attempt.accepted) ++summary_.refused;
    reply = JsonReply(attempt.status, behaviour.body);
    if (behaviour.retry_after.has_value()) {
      reply.headers.Add("Retry-After",
                        behaviour.retry_after_as_date
                            ? FormatHttpDate(attempt.at + *behaviour.retry_after)
                            : std::to_string(absl::ToInt64Seconds(*behaviour.retry_after)));
    }
    reply.delay = behaviour.delay;
    if (behaviour.kind == ReceiverBehaviour::Kind::kResetAfter) {
      ++summary_.unanswered;
      attempt.status = 0;
      reply.ending = Ending::kReset;
    }
  }
  reply.on_done = [this, order = about_order ? order : OrderKey(), id = attempt.webhook_id,
                   accepted = attempt.accepted](bool sent) { Done(order, id, accepted, sent); };
  attempts_.push_back(std::move(attempt));
  changed_.notify_all();
  return reply;
}

TestReply WebhookReceiver::Deliver(const TestRequest& request) {
  TestReply reply = Handle(request);
  if (reply.on_done) std::exchange(reply.on_done, nullptr)(reply.ending == Ending::kComplete);
  return reply;
}

void WebhookReceiver::Done(const OrderKey& order, const std::string& webhook_id, bool accepted,
                           bool sent) {
  const std::lock_guard lock(mu_);
  const auto found = in_flight_.find(order);
  if (order.second != 0 && found != in_flight_.end() && --found->second <= 0)
    in_flight_.erase(found);
  if (!accepted || !sent) return;
  const auto message = messages_.find(webhook_id);
  if (message != messages_.end()) message->second.answer_sent = true;
}

void WebhookReceiver::Inspect(const ReceivedAttempt& attempt, const Parsed& parsed) {
  const std::string type = attempt.request.headers.Get("Content-Type");
  if (!parsed.json || (!parsed.test && (parsed.order_id == 0 || parsed.revision == 0)) ||
      !type.starts_with("application/json")) {
    Report("malformed-body", attempt,
           "not a JSON object with order.id and order.revision as application/json");
    return;
  }
  if (parsed.test) return;
  if (parsed.connection_id != attempt.connection_id) {
    Report("connection-id-differs", attempt, "body says \"" + parsed.connection_id + "\"");
  }
  const auto [message, first] =
      messages_.try_emplace(attempt.webhook_id, Message{attempt.request.body});
  if (!first && message->second.body != attempt.request.body) {
    Report("same-id-different-bytes", attempt, "revision " + std::to_string(parsed.revision));
  }
  const OrderKey key(attempt.connection_id, attempt.order_id);
  const auto [known, fresh] =
      id_of_revision_.try_emplace({key, parsed.revision}, attempt.webhook_id);
  if (!fresh && known->second != attempt.webhook_id) {
    Report("two-ids-for-one-revision", attempt, "the other is " + known->second);
  }
  ReceivedOrder& order = orders_[key];
  if (order.attempts++ == 0) {
    order.connection_id = attempt.connection_id;
    order.order_id = attempt.order_id;
    order.first_at = attempt.at;
  }
  order.name = parsed.name;
  if (parsed.revision < order.newest_revision) {
    Report("revision-went-back", attempt,
           std::to_string(parsed.revision) + " after " + std::to_string(order.newest_revision));
  }
  order.newest_revision = std::max(order.newest_revision, parsed.revision);
}

void WebhookReceiver::Accept(const ReceivedAttempt& attempt, const Parsed& parsed) {
  if (parsed.test) {
    ++summary_.tests;
    return;
  }
  const auto found = messages_.find(attempt.webhook_id);
  if (found == messages_.end()) return;  // malformed
  Message& message = found->second;
  if (message.accepted) {
    ++(message.answer_sent ? summary_.duplicates : summary_.repeats);
    return;
  }
  message.accepted = true;
  ++summary_.accepted_ids;
  ReceivedOrder& order = orders_[{attempt.connection_id, attempt.order_id}];
  if (order.accepted++ == 0) ++summary_.accepted_orders;
  if (parsed.revision < order.accepted_revision) return;
  order.accepted_revision = parsed.revision;
  order.accepted_body = attempt.request.body;
  order.event = parsed.event;
  order.state = parsed.state;
  order.write_date = parsed.write_date;
  order.amount_total = parsed.amount_total;
  order.accepted_at = attempt.at;
}

void WebhookReceiver::Report(std::string what, const ReceivedAttempt& attempt, std::string detail) {
  ++summary_.violations;
  violations_.push_back({std::move(what), attempt.connection_id, attempt.order_id,
                         attempt.webhook_id,
                         "attempt " + std::to_string(attempt.number) + ": " + std::move(detail)});
}

std::unique_ptr<HttpServer> WebhookReceiver::Serve() {
  HttpServer::Options options;
  options.date_clock = options_.clock;
  options.on_head = [this](const TestRequest& head) { return HandleHead(head); };
  auto server = HttpServer::Start(
      std::move(options),
      HttpServer::Immediate([this](const TestRequest& request) { return Handle(request); }));
  return *std::move(server);
}

void WebhookReceiver::AddSecret(const std::string& sender, const std::string& secret) {
  const std::lock_guard lock(mu_);
  secrets_[sender].push_back(secret);
}

void WebhookReceiver::ClearSecrets(const std::string& sender) {
  const std::lock_guard lock(mu_);
  secrets_.erase(sender);
}

void WebhookReceiver::SetBehaviour(ReceiverBehaviour behaviour, const std::string& sender) {
  const std::lock_guard lock(mu_);
  behaviours_[sender] = std::move(behaviour);
}

void WebhookReceiver::ClearBehaviour() {
  const std::lock_guard lock(mu_);
  behaviours_.clear();
  order_status_.clear();
}

void WebhookReceiver::SetOrderStatus(std::int64_t order_id, int status,
                                     const std::string& connection_id) {
  const std::lock_guard lock(mu_);
  if (status == 0) {
    order_status_.erase({connection_id, order_id});
  } else {
    order_status_[{connection_id, order_id}] = status;
  }
}

ReceiverSummary WebhookReceiver::Summary() const {
  const std::lock_guard lock(mu_);
  return summary_;
}

std::vector<ReceivedAttempt> WebhookReceiver::Attempts() const {
  const std::lock_guard lock(mu_);
  return attempts_;
}

std::vector<ReceivedOrder> WebhookReceiver::Orders() const {
  const std::lock_guard lock(mu_);
  std::vector<ReceivedOrder> orders;
  orders.reserve(orders_.size());
  for (const auto& [key, order] : orders_) orders.push_back(order);
  return orders;
}

std::optional<ReceivedOrder> WebhookReceiver::FindOrder(const std::string& connection_id,
                                                        std::int64_t order_id) const {
  const std::lock_guard lock(mu_);
  const auto found = orders_.find({connection_id, order_id});
  if (found == orders_.end()) return std::nullopt;
  return found->second;
}

std::vector<ReceiverViolation> WebhookReceiver::Violations() const {
  const std::lock_guard lock(mu_);
  return violations_;
}

void WebhookReceiver::Clear() {
  const std::lock_guard lock(mu_);
  attempts_.clear();
  orders_.clear();
  messages_.clear();
  id_of_revision_.clear();
  violations_.clear();
  summary_ = {};
}

bool WebhookReceiver::WaitFor(const std::function<bool(const ReceiverSummary&)>& done,
                              absl::Duration timeout) const {
  std::unique_lock lock(mu_);
  return changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout),
                           [&] { return done(summary_); });
}

}  // namespace poller::test
