#include "tests/unit/delivery/dispatcher_fixture.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "core/base/url.h"
#include "core/crypto/hash.h"
#include "core/orders/payload.h"

namespace poller {
namespace {

test::WebhookReceiver::Options ReceiverOptions(const Clock& clock) {
  test::WebhookReceiver::Options options;
  options.clock = [&clock] { return clock.Now(); };
  return options;
}

HttpResponse ToResponse(const test::TestReply& reply) {
  HttpResponse response;
  response.status = reply.status;
  for (const auto& [name, value] : reply.headers.fields())
    response.headers.push_back({name, value});
  response.body = reply.body;
  return response;
}

Order AnOrder(int id, const std::string& content) {
  Order order;
  order.id = OrderId(id);
  order.name = "S" + std::to_string(id);
  order.state = "sale";
  order.date_order = "2026-01-15 10:00:00";
  order.write_date = "2026-01-15 10:00:00";
  order.currency = "CLP";
  order.note = content;
  return order;
}

}  // namespace

FakeNetwork::FakeNetwork(const Clock& clock)
    : receiver(ReceiverOptions(clock)), clock_(clock), start_(clock.Monotonic()) {}

Task<absl::StatusOr<HttpResponse>> FakeNetwork::Send(HttpRequest request) {
  const auto url = ParseUrl(request.url);
  test::TestRequest arriving;
  arriving.path = url.ok() ? url->path : "/";
  for (const HttpHeader& header : request.headers) arriving.headers.Add(header.name, header.value);
  arriving.body = request.body;

  Request seen;
  seen.at = clock_.Monotonic() - start_;
  seen.url = request.url;
  seen.connection_id = arriving.headers.Get("X-Odoo-Connection-Id");
  const boost::json::value body = boost::json::parse(request.body);
  if (const auto* order = body.as_object().if_contains("order")) {
    seen.order = order->at("id").to_number<std::int64_t>();
    seen.revision = order->at("revision").to_number<std::int64_t>();
  }
  seen.http = std::move(request);
  requests_.push_back(std::move(seen));
  if (broken_.has_value()) co_return TransportError(*broken_, "receiver.example: broken");

  most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
  const test::TestReply reply = receiver.Handle(arriving);
  std::optional<TransportFailure> lost;
  if (holding_) {
    OneShot<std::optional<TransportFailure>> answer;
    held_.push_back(answer);
    lost = co_await answer.Get();
  }
  --in_flight_;
  if (reply.on_done) reply.on_done(!lost.has_value());
  if (lost.has_value()) co_return TransportError(*lost, "receiver.example: the answer was lost");
  co_return ToResponse(reply);
}

void FakeNetwork::Answer(std::optional<TransportFailure> lost) {
  if (held_.empty()) return;
  const auto oldest = held_.front();
  held_.pop_front();
  oldest.Set(lost);
}

void FakeNetwork::Release() {
  holding_ = false;
  while (!held_.empty()) Answer();
}

std::vector<std::int64_t> FakeNetwork::Orders() const {
  std::vector<std::int64_t> orders;
  for (const Request& request : requests_) orders.push_back(request.order);
  return orders;
}

std::vector<double> FakeNetwork::Times(std::int64_t order) const {
  std::vector<double> times;
  for (const Request& request : requests_) {
    if (request.order == order) times.push_back(absl::ToDoubleSeconds(request.at));
  }
  return times;
}

absl::StatusOr<std::vector<ClaimedDelivery>> FaultyOutbox::Claim(ConnectionId connection,
                                                                 const Instant& now, int limit,
                                                                 bool forced_only) {
  return real_.Claim(connection, now, limit, forced_only);
}
absl::StatusOr<Resolution> FaultyOutbox::Resolve(const DeliveryOutcome& outcome,
                                                 const Instant& now) {
  if (fail_resolves) {
    ++failed_resolves;
    return absl::UnavailableError("disk full");
  }
  return real_.Resolve(outcome, now);
}
absl::StatusOr<absl::Duration> FaultyOutbox::NextDue(ConnectionId connection, const Instant& now) {
  ++looks;
  return real_.NextDue(connection, now);
}
absl::StatusOr<std::vector<DeliveryDetails>> FaultyOutbox::ListRetries(const DeliveryFilter& filter,
                                                                       DeliveryId before,
                                                                       int limit) {
  return real_.ListRetries(filter, before, limit);
}
absl::StatusOr<DeliveryDetails> FaultyOutbox::Get(DeliveryId id) { return real_.Get(id); }
absl::StatusOr<Delivery> FaultyOutbox::Retry(DeliveryId id, const Actor& actor,
                                             const Instant& now) {
  return real_.Retry(id, actor, now);
}
absl::StatusOr<Delivery> FaultyOutbox::Discard(DeliveryId id, const std::string& why,
                                               const Actor& actor, absl::Time now) {
  return real_.Discard(id, why, actor, now);
}

void RecordingLogger::Write(LogLevel level, std::string_view message,
                            const std::vector<LogField>& fields) {
  static constexpr const char* kWords[] = {"DEBUG ", "INFO ", "WARNING ", "ERROR "};
  std::string line = kWords[static_cast<int>(level)] + std::string(message);
  for (const LogField& field : fields) line += " " + field.key + "=" + field.value;
  lines_.push_back(std::move(line));
}

DispatcherFixture::DispatcherFixture() {
  CryptoInit();
  Open();
  AddConnection("shop");
  net_.receiver.AddSecret("", "webhook-secret-of-shop");
  NewEvents();
}

void DispatcherFixture::TearDown() {
  net_.Release();
  StopDispatcher();
  ASSERT_EQ(tasks_.Running(), 0);
  EXPECT_EQ(net_.receiver.Violations().size(), 0u);
}

void DispatcherFixture::StartDispatcher() {
  outbox_ = std::make_unique<FaultyOutbox>(storage_->outbox());
  dispatcher_ =
      std::make_unique<Dispatcher>(Dispatcher::Deps{.connections = storage_->connections(),
                                                    .outbox = *outbox_,
                                                    .http = net_,
                                                    .clock = clock_,
                                                    .sleeper = sleeper_,
                                                    .random = random_,
                                                    .tasks = tasks_,
                                                    .storage_pool = io_.get_executor(),
                                                    .log = log_,
                                                    .metrics = metrics_},
                                   options_);
  dispatcher_->Add(connection_.id);
  Run();
}

void DispatcherFixture::StopDispatcher() {
  if (dispatcher_ == nullptr) return;
  dispatcher_->Stop();
  Pass(absl::Seconds(10));  // tries of outcomes that cannot be stored
  dispatcher_.reset();
}

void DispatcherFixture::Hint() {
  dispatcher_->Hint(connection_.id);
  Run();
}

void DispatcherFixture::Commit(const std::vector<int>& orders, const std::string& content,
                               int second) {
  IngestBatch batch = Batch();
  for (const int id : orders) {
    const Order order = AnOrder(id, content);
    Observation seen = Seen(id, content, second);
    seen.content = EncodeContent(order, "shop");
    seen.content_hash = ContentHash(order, "shop");
    batch.orders.push_back(std::move(seen));
  }
  StorageFixture::Commit(batch);
}

void DispatcherFixture::Answer(int status, std::optional<absl::Duration> retry_after,
                               const std::string& body) {
  test::ReceiverBehaviour behaviour;
  behaviour.status = status;
  behaviour.retry_after = retry_after;
  behaviour.body = body;
  net_.receiver.SetBehaviour(behaviour);
}

DeliveryDetails DispatcherFixture::DeliveryOf(int order) {
  const auto head = Head(order);
  return head.has_value() ? Details(head->delivery) : DeliveryDetails();
}

std::vector<std::string> DispatcherFixture::Circuit() {
  std::vector<std::string> words = NewEvents();
  std::erase_if(words, [](const std::string& word) {
    return !word.starts_with("circuit") && !word.starts_with("receiver");
  });
  return words;
}

void DispatcherFixture::SetPaused(bool paused) {
  EXPECT_OK(storage_->connections()
                .SetPaused(connection_.id, std::nullopt, paused, kActor, clock_.Now())
                .status());
  Hint();
}

}  // namespace poller
