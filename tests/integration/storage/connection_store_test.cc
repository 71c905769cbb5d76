#include "core/storage/connection_store.h"

#include "tests/integration/storage/storage_fixture.h"

namespace poller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ConnectionStoreTest : public StorageFixture {
 protected:
  ConnectionStoreTest() { Open(); }
  ConnectionStore& store() { return storage_->connections(); }
  std::vector<SyncEvent> Events() {
    auto events = storage_->events().Read(EventSequence(), 1000);
    EXPECT_OK(events.status());
    return events.value_or(std::vector<SyncEvent>());
  }
};

TEST_F(ConnectionStoreTest, EverySettingIsKept) {
  ConnectionSettings settings = ShopSettings("shop");
  settings.external_id = "42";
  settings.odoo.protocol = OdooProtocol::kJson2;
  settings.odoo.company_ids = {1, 3};
  settings.odoo.ca_pem = "odoo ca";
  settings.odoo.rate = 1.5;
  settings.webhook.legacy_secret_header = true;
  settings.webhook.ca_pem = "webhook ca";
  settings.interval = absl::Seconds(5);
  settings.overlap = absl::Minutes(7);
  settings.line_interval = absl::Minutes(8);
  settings.track_age = absl::Hours(48);
  settings.send_cancelled = true;
  settings.send_every_touch = true;
  settings.start_from.kind = StartFrom::Kind::kLast;
  settings.start_from.last = 20;
  settings.paused_polling = true;
  settings.paused_delivery = true;
  const Connection created = AddConnection(settings);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const ConnectionWithState found, store().Get(created.id));
  EXPECT_EQ(found.connection.uid, created.uid);
  EXPECT_EQ(found.connection.uid.size(), 26u);
  EXPECT_EQ(found.connection.version, 1);
  EXPECT_EQ(found.connection.created_at, clock_.Now());
  const ConnectionSettings& kept = found.connection.settings;
  EXPECT_EQ(kept.name, "shop");
  EXPECT_EQ(kept.external_id, "42");
  EXPECT_EQ(kept.odoo.url, "https://shop.example");
  EXPECT_EQ(kept.odoo.database, "shop");
  EXPECT_EQ(kept.odoo.username, "bot");
  EXPECT_TRUE(kept.odoo.api_key == settings.odoo.api_key);
  EXPECT_EQ(kept.odoo.protocol, OdooProtocol::kJson2);
  EXPECT_THAT(kept.odoo.company_ids, ElementsAre(1, 3));
  EXPECT_EQ(kept.odoo.ca_pem, "odoo ca");
  EXPECT_EQ(kept.odoo.rate, 1.5);
  EXPECT_EQ(kept.webhook.url, "https://receiver.example/hook");
  EXPECT_TRUE(kept.webhook.secret == settings.webhook.secret);
  EXPECT_TRUE(kept.webhook.legacy_secret_header);
  EXPECT_EQ(kept.webhook.ca_pem, "webhook ca");
  EXPECT_EQ(kept.interval, absl::Seconds(5));
  EXPECT_EQ(kept.overlap, absl::Minutes(7));
  EXPECT_EQ(kept.line_interval, absl::Minutes(8));
  EXPECT_EQ(kept.track_age, absl::Hours(48));
  EXPECT_TRUE(kept.send_cancelled && kept.send_every_touch);
  EXPECT_EQ(kept.start_from.Text(), "last:20");
  EXPECT_TRUE(kept.paused_polling && kept.paused_delivery);
}

TEST_F(ConnectionStoreTest, NamesAreUniqueAndTheirCaseCounts) {
  AddConnection("shop");
  AddConnection("Shop");
  const auto taken = store().Create(ShopSettings("shop"), kActor, clock_.Now());
  EXPECT_THAT(taken, StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("\"shop\"")));
  EXPECT_EQ(Reason(taken.status()), "NAME_TAKEN");
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = ShopSettings("shop");
  EXPECT_THAT(store().Update(update, kActor, clock_.Now()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  ASSERT_OK_AND_ASSIGN(const ConnectionWithState found, store().GetByName("Shop"));
  EXPECT_EQ(found.connection.id, connection_.id);
  EXPECT_THAT(store().GetByName("shoP"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ConnectionStoreTest, ARepeatedCreateGivesTheFirstConnectionForADay) {
  const Actor actor{.token_name = "ops", .request_id = "r1"};
  ASSERT_OK_AND_ASSIGN(const Connection first,
                       store().Create(ShopSettings("shop"), actor, clock_.Now()));
  clock_.Advance(absl::Hours(23));
  ASSERT_OK_AND_ASSIGN(const Connection again,
                       store().Create(ShopSettings("shop"), actor, clock_.Now()));
  EXPECT_EQ(again.id, first.id);
  const Actor another{.token_name = "ops", .request_id = "r1", .token = TokenId(2)};
  EXPECT_THAT(store().Create(ShopSettings("shop"), another, clock_.Now()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(store().Create(ShopSettings("shop"), actor, clock_.Now()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Events(), SizeIs(1));
}

TEST_F(ConnectionStoreTest, ChangesNameTheActorInTheirEvents) {
  AddConnection("shop");
  ConnectionUpdate update;
  update.id = connection_.id;
  update.expected_version = 1;
  update.settings = connection_.settings;
  update.settings.interval = absl::Minutes(2);
  update.changed = {"interval", "webhook.url"};
  ASSERT_OK_AND_ASSIGN(const Connection updated, store().Update(update, kActor, clock_.Now()));
  EXPECT_EQ(updated.version, 2);
  EXPECT_EQ(updated.settings.interval, absl::Minutes(2));
  const std::vector<SyncEvent> events = Events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].type, EventType::kConnectionCreated);
  EXPECT_EQ(events[1].type, EventType::kConnectionUpdated);
  EXPECT_EQ(events[1].detail.change, "interval,webhook.url");
  EXPECT_EQ(events[1].detail.actor, "ops");
}

TEST_F(ConnectionStoreTest, AStaleEtagIsAborted) {
  AddConnection("shop");
  ConnectionUpdate update;
  update.id = connection_.id;
  update.expected_version = 7;
  update.settings = connection_.settings;
  const auto result = store().Update(update, kActor, clock_.Now());
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Reason(result.status()), "ETAG_MISMATCH");
  update.id = ConnectionId(99);
  EXPECT_THAT(store().Update(update, kActor, clock_.Now()), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ConnectionStoreTest, PausingIsAnEventAndPausingTwiceIsNot) {
  AddConnection("shop");
  NewEvents();
  ASSERT_OK_AND_ASSIGN(const Connection paused,
                       store().SetPaused(connection_.id, true, std::nullopt, kActor, clock_.Now()));
  EXPECT_TRUE(paused.settings.paused_polling);
  EXPECT_FALSE(paused.settings.paused_delivery);
  EXPECT_EQ(paused.version, 2);
  ASSERT_OK(store().SetPaused(connection_.id, true, std::nullopt, kActor, clock_.Now()).status());
  EXPECT_THAT(NewEvents(), ElementsAre("connection_paused"));
  ASSERT_OK(store().SetPaused(connection_.id, false, true, kActor, clock_.Now()).status());
  EXPECT_THAT(NewEvents(), ElementsAre("connection_paused", "connection_resumed"));
}

TEST_F(ConnectionStoreTest, DeletingRemovesEverythingButTheEvents) {
  AddConnection("shop");
  for (int order = 1; order <= 20; ++order) Observe(Seen(order, "a"));
  for (const ClaimedDelivery& claim : Claim()) Accept(claim);
  ASSERT_OK(store().Delete(connection_.id, false, kActor, clock_.Now()));
  EXPECT_THAT(store().Get(connection_.id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().Delete(connection_.id, false, kActor, clock_.Now()),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(storage_->outbox().Get(DeliveryId(1)), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(const auto orders,
                       storage_->orders().ListOrders(std::nullopt, "", DeliveryId(), 10));
  EXPECT_THAT(orders, IsEmpty());
  EXPECT_EQ(Events().back().type, EventType::kConnectionDeleted);
  EXPECT_GT(Events().size(), 40u);
}

TEST_F(ConnectionStoreTest, IdsAreNeverUsedAgain) {
  const Connection first = AddConnection("shop");
  ASSERT_OK(store().Delete(first.id, false, kActor, clock_.Now()));
  Reopen();
  const Connection second = AddConnection("shop");
  EXPECT_GT(second.id, first.id);
  EXPECT_NE(second.uid, first.uid);
}

TEST_F(ConnectionStoreTest, UndeliveredOrdersHoldTheDeletionUp) {
  AddConnection("shop");
  Observe(Seen(1, "a"));
  Observe(Broken(2, "no lines"));
  const auto refused = store().Delete(connection_.id, false, kActor, clock_.Now());
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("2 undelivered")));
  EXPECT_EQ(Reason(refused), "UNDELIVERED_ORDERS");
  const ClaimedDelivery claim = ClaimOne();
  EXPECT_OK(store().Delete(connection_.id, true, kActor, clock_.Now()));
  DeliveryOutcome outcome;
  outcome.id = claim.id;
  EXPECT_THAT(storage_->outbox().Resolve(outcome, clock_.Read()),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Claim(), IsEmpty());
  EXPECT_EQ(NextDue(), absl::InfiniteDuration());
}

TEST_F(ConnectionStoreTest, APollIsAnEventOnlyWhenItsOutcomeTurns) {
  AddConnection("shop");
  NewEvents();
  LastPoll poll{.at = clock_.Now(), .duration = absl::Milliseconds(120), .found = 3, .error = ""};
  ASSERT_OK(store().RecordPoll(connection_.id, poll, clock_.Now()));
  EXPECT_THAT(NewEvents(), IsEmpty());
  EXPECT_EQ(State().last_poll.found, 3);
  EXPECT_EQ(State().last_poll.duration, absl::Milliseconds(120));
  poll.error = "connection refused";
  ASSERT_OK(store().RecordPoll(connection_.id, poll, clock_.Now()));
  ASSERT_OK(store().RecordPoll(connection_.id, poll, clock_.Now()));
  EXPECT_THAT(NewEvents(), ElementsAre("poll_failed"));
  poll.error.clear();
  ASSERT_OK(store().RecordPoll(connection_.id, poll, clock_.Now()));
  EXPECT_THAT(NewEvents(), ElementsAre("poll_recovered"));
}

TEST_F(ConnectionStoreTest, BreakersSurviveAndTheirChangesAreEvents) {
  AddConnection("shop");
  NewEvents();
  BreakerRecord record;
  record.failures = 3;
  record.last_error = "timeout";
  ASSERT_OK(store().SaveBreaker(connection_.id, Leg::kReceiver, record, clock_.Now()));
  EXPECT_THAT(NewEvents(), IsEmpty());
  record.state = BreakerState::kOpen;
  record.opened_at = clock_.Now();
  record.retry_at = clock_.Now() + absl::Minutes(2);
  ASSERT_OK(store().SaveBreaker(connection_.id, Leg::kReceiver, record, clock_.Now()));
  EXPECT_THAT(NewEvents(), ElementsAre("circuit_opened"));
  EXPECT_EQ(Events().back().detail.leg, "receiver");
  Reopen();
  EXPECT_EQ(State().receiver_breaker, record);
  EXPECT_EQ(State().odoo_breaker, BreakerRecord());
  record.state = BreakerState::kClosed;
  ASSERT_OK(store().SaveBreaker(connection_.id, Leg::kReceiver, record, clock_.Now()));
  EXPECT_THAT(NewEvents(), ElementsAre("circuit_closed"));
}

TEST_F(ConnectionStoreTest, ASuspensionIsSaidOnceAndEndsOnce) {
  AddConnection("shop");
  NewEvents();
  const Suspension suspension{
      .reason = "credentials", .message = "the key was refused", .since = clock_.Now()};
  ASSERT_OK(store().Suspend(connection_.id, suspension));
  ASSERT_OK(store().Suspend(connection_.id, suspension));
  EXPECT_THAT(NewEvents(), ElementsAre("connection_suspended"));
  EXPECT_EQ(State().suspension->message, "the key was refused");
  ASSERT_OK(store().EndSuspension(connection_.id, Actor(), clock_.Now()));
  ASSERT_OK(store().EndSuspension(connection_.id, Actor(), clock_.Now()));
  EXPECT_THAT(NewEvents(), ElementsAre("connection_resumed"));
  EXPECT_EQ(State().suspension, std::nullopt);
}

TEST_F(ConnectionStoreTest, AnEditOfCredentialsEndsTheSuspension) {
  AddConnection("shop");
  ASSERT_OK(store().Suspend(connection_.id,
                            {.reason = "credentials", .message = "", .since = clock_.Now()}));
  NewEvents();
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.end_suspension = true;
  ASSERT_OK(store().Update(update, kActor, clock_.Now()).status());
  EXPECT_THAT(NewEvents(), ElementsAre("connection_updated", "connection_resumed"));
  EXPECT_EQ(State().suspension, std::nullopt);
}

TEST_F(ConnectionStoreTest, AReceiverIsGoneSinceTheFirstTime) {
  AddConnection("shop");
  NewEvents();
  const absl::Time first = clock_.Now();
  ASSERT_OK(store().SetReceiverGone(connection_.id, first));
  ASSERT_OK(store().SetReceiverGone(connection_.id, first + absl::Hours(1)));
  EXPECT_EQ(State().receiver_gone_since, first);
  EXPECT_THAT(NewEvents(), ElementsAre("receiver_gone"));
  ASSERT_OK(store().SetReceiverGone(connection_.id, std::nullopt));
  EXPECT_EQ(State().receiver_gone_since, std::nullopt);
}

TEST_F(ConnectionStoreTest, AnotherOdooStartsAnewButRevisionsGoOn) {
  AddConnection("shop");
  IngestBatch batch = Batch();
  batch.orders = {Seen(1, "a"), Seen(2, "a")};
  batch.mark = clock_.Now();
  Commit(batch);
  const std::vector<ClaimedDelivery> old = Claim();
  Accept(old[0]);
  Fail(old[1]);
  ASSERT_OK(store().SaveOdooSession(connection_.id, 7, "19.0", OdooProtocol::kJson2));
  ASSERT_OK(store().SaveKeyExpiry(connection_.id, clock_.Now() + absl::Hours(900), clock_.Now()));
  EXPECT_EQ(State().odoo_protocol, OdooProtocol::kJson2);
  ConnectionUpdate update;
  update.id = connection_.id;
  update.settings = connection_.settings;
  update.reset_odoo = true;
  ASSERT_OK(store().Update(update, kActor, clock_.Now()).status());
  EXPECT_EQ(State().mark, absl::InfinitePast());
  EXPECT_EQ(State().odoo_uid, 0);
  EXPECT_EQ(State().odoo_version, "");
  EXPECT_EQ(State().odoo_protocol, OdooProtocol::kAuto);
  EXPECT_EQ(State().key_expires_at, std::nullopt);
  EXPECT_EQ(Head(1), std::nullopt);

  Observe(Seen(1, "a"));
  EXPECT_EQ(Head(1)->revision, 2) << "a receiver would refuse a smaller number";
  Observe(Seen(2, "b"));
  EXPECT_EQ(StatusOf(old[1].id), DeliveryStatus::kSuperseded);
  const std::vector<ClaimedDelivery> claims = Claim();
  ASSERT_EQ(claims.size(), 2u);
  EXPECT_EQ(claims[0].event, "order.confirmed");
  EXPECT_NE(claims[0].webhook_id, old[0].webhook_id);
}

TEST_F(ConnectionStoreTest, TellsOnceOfEachKeyThatEnds) {
  AddConnection("shop");
  const auto told = [&](std::optional<absl::Time> end) {
    const auto before = storage_->events().Range()->newest;
    EXPECT_OK(store().SaveKeyExpiry(connection_.id, end, clock_.Now()));
    EXPECT_EQ(State().key_expires_at, end);
    const auto events = storage_->events().Read(before, 10);
    EXPECT_OK(events.status());
    if (events->empty()) return std::optional<absl::Time>();
    EXPECT_EQ(events->front().type, EventType::kKeyExpiring);
    return events->front().detail.expires_at;
  };
  const absl::Time far = clock_.Now() + kKeyWarning + absl::Minutes(1);
  EXPECT_EQ(told(std::nullopt), std::nullopt);
  EXPECT_EQ(told(far), std::nullopt);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(told(far), far);
  EXPECT_EQ(storage_->status().Totals()->keys_expiring, 1);
  EXPECT_EQ(told(far), std::nullopt);
  EXPECT_EQ(told(std::nullopt), std::nullopt);
  EXPECT_EQ(storage_->status().Totals()->keys_expiring, 0);
  const absl::Time soon = clock_.Now() + absl::Hours(1);
  EXPECT_EQ(told(soon), soon);
}

TEST_F(ConnectionStoreTest, PagesAreByIdAndTotalsAddUp) {
  for (const char* name : {"a", "b", "c"}) AddConnection(name);
  ASSERT_OK_AND_ASSIGN(const auto first, store().List(ConnectionId(), 2));
  ASSERT_OK_AND_ASSIGN(const auto rest, store().List(first.back().connection.id, 2));
  EXPECT_EQ(first.size() + rest.size(), 3u);
  EXPECT_EQ(rest.front().connection.settings.name, "c");
  Observe(Seen(1, "a"));
  Observe(Broken(2, "no lines"));
  ASSERT_OK(store().SetPaused(connection_.id, true, true, kActor, clock_.Now()).status());
  ASSERT_OK_AND_ASSIGN(const StorageTotals totals, storage_->status().Totals());
  EXPECT_EQ(totals.connections, 3);
  EXPECT_EQ(totals.paused, 1);
  EXPECT_EQ(totals.waiting, 1);
  EXPECT_EQ(totals.dead, 1);
  EXPECT_EQ(totals.unhealthy, 1);
  EXPECT_EQ(totals.unhealthy_or_polled, 3) << "the two that are well, and the paused one with its "
                                              "dead letter";
  EXPECT_EQ(totals.oldest_waiting, clock_.Now());
  EXPECT_GT(totals.database_bytes, 0);
}

// Nothing of it is there without the rest: it is one transaction.
TEST_F(ConnectionStoreTest, AResetClosesAndResumesAllAndSaysWho) {
  AddConnection();
  ConnectionStore& connections = storage_->connections();
  BreakerRecord open;
  open.state = BreakerState::kOpen;
  open.failures = 5;
  for (const Leg leg : {Leg::kOdoo, Leg::kReceiver})
    ASSERT_OK(connections.SaveBreaker(connection_.id, leg, open, clock_.Now()));
  Suspension suspension;
  suspension.reason = "credentials";
  suspension.since = clock_.Now();
  ASSERT_OK(connections.Suspend(connection_.id, suspension));
  ASSERT_OK(connections.SetReceiverGone(connection_.id, clock_.Now()));
  NewEvents();
  ASSERT_OK(connections.ResetCircuits(connection_.id, kActor, clock_.Now()));
  EXPECT_THAT(NewEvents(), ElementsAre("circuit_closed", "circuit_closed", "connection_resumed",
                                       "circuit_reset"));
  EXPECT_EQ(storage_->events().Read(EventSequence(), 100)->back().detail.actor, "ops");
  const ConnectionState state = State();
  EXPECT_EQ(state.odoo_breaker, BreakerRecord());
  EXPECT_EQ(state.receiver_breaker, BreakerRecord());
  EXPECT_FALSE(state.suspension.has_value());
  EXPECT_FALSE(state.receiver_gone_since.has_value());
  // All well: who it was is told all the same.
  ASSERT_OK(connections.ResetCircuits(connection_.id, kActor, clock_.Now()));
  EXPECT_THAT(NewEvents(), ElementsAre("circuit_reset"));
  EXPECT_THAT(connections.ResetCircuits(ConnectionId(99), kActor, clock_.Now()),
              StatusIs(absl::StatusCode::kNotFound));
}

class RequestStoreTest : public StorageFixture {
 protected:
  RequestStoreTest() { Open(); }
  static Actor Asking(const std::string& id) {
    return {.token_name = "ops", .request_id = id, .request_digest = "digest"};
  }
};

TEST_F(RequestStoreTest, WhatIsTooOldGoesInStepsAndItsIdsAreFree) {
  RequestStore& requests = storage_->requests();
  for (int i = 0; i < 250; ++i)
    ASSERT_OK(requests.Keep("Send", Asking(std::to_string(i)), "old", clock_.Now()));
  clock_.Advance(absl::Hours(24));
  // The last of its index: still there after a step.
  ASSERT_OK(requests.Keep("Send", Asking("99"), "new", clock_.Now()));
  EXPECT_THAT(requests.Find("Send", Asking("99"), clock_.Now()),
              IsOkAndHolds(testing::Optional(std::string("new"))));
  EXPECT_THAT(requests.Prune(clock_.Now(), 100), IsOkAndHolds(100));
  EXPECT_THAT(requests.Prune(clock_.Now(), 100), IsOkAndHolds(49));
  EXPECT_THAT(requests.Prune(clock_.Now(), 100), IsOkAndHolds(0));
}

}  // namespace
}  // namespace poller
