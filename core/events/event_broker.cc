#include "core/events/event_broker.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/events/recent_events.h"

namespace poller {
namespace {

constexpr std::size_t kRecent = 2048;
// Of one read of the log, and of one look at the recent events.
constexpr int kChunk = 256;
// The listener is a hint that may be lost.
constexpr absl::Duration kLookAnyway = absl::Seconds(5);
constexpr absl::Duration kStoreRetry = absl::Seconds(1);

std::string Describe(const EventRange& range) {
  const std::string log = " (log " + range.log_id + ")";
  if (range.oldest > range.newest) {
    return "the log is empty; the next event is " + std::to_string(range.oldest.value()) + log;
  }
  return "the log holds " + std::to_string(range.oldest.value()) + " to " +
         std::to_string(range.newest.value()) + log;
}

absl::Status OutOfRange(std::string_view what, const EventRange& range, std::string_view reason) {
  return WithReason(
      MakeStatus(absl::StatusCode::kOutOfRange, std::string(what) + ": " + Describe(range)),
      reason);
}

EventSequence Before(EventSequence sequence) { return EventSequence(sequence.value() - 1); }

absl::Status Stopped() { return absl::CancelledError("the event stream has ended"); }

}  // namespace

bool EventFilter::Matches(const SyncEvent& event) const {
  return (connections.empty() || connections.contains(event.connection)) &&
         (types.empty() || types.contains(event.type));
}

struct EventBroker::Impl : std::enable_shared_from_this<EventBroker::Impl> {
  class Subscription;

  Impl(EventLog& event_log, Sleeper& a_sleeper, Executor pool, Logger& a_logger,
       const Clock& a_clock)
      : log(event_log),
        sleeper(a_sleeper),
        storage_pool(std::move(pool)),
        logger(a_logger),
        clock(a_clock) {}

  static Task<void> Follow(std::shared_ptr<Impl> self);
  Task<absl::StatusOr<std::vector<SyncEvent>>> Read(EventSequence after, int limit);
  Task<absl::StatusOr<EventRange>> Range();
  bool IsStopped() {
    absl::MutexLock lock(&mu);
    return stopped;
  }
  // Wakes every reader that waits.
  void WakeAll();

  EventLog& log;
  Sleeper& sleeper;
  Executor storage_pool;
  Logger& logger;
  const Clock& clock;
  Wakeup wakeup;  // of the follower

  absl::Mutex mu;
  bool stopped ABSL_GUARDED_BY(mu) = false;
  std::optional<RecentEvents> recent ABSL_GUARDED_BY(mu);
  absl::flat_hash_set<Wakeup*> readers ABSL_GUARDED_BY(mu);  // each removes itself before it dies
};

class EventBroker::Impl::Subscription final : public EventSubscription {
 public:
  Subscription(std::shared_ptr<Impl> impl, EventSequence place, EventFilter filter)
      : impl_(std::move(impl)), filter_(std::move(filter)), place_(place) {
    absl::MutexLock lock(&impl_->mu);
    impl_->readers.insert(&wakeup_);
  }
  ~Subscription() override {
    absl::MutexLock lock(&impl_->mu);
    impl_->readers.erase(&wakeup_);
  }

  Task<absl::StatusOr<Batch>> Next(int limit, absl::Duration patience) override;
  void Cancel() override {
    {
      absl::MutexLock lock(&mu_);
      cancelled_ = true;
    }
    wakeup_.Notify();
  }

 private:
  bool Over() {
    {
      absl::MutexLock lock(&mu_);
      if (cancelled_) return true;
    }
    return impl_->IsStopped();
  }
  // Moves the place on by one chunk of what is in memory. False: it is too old to be there.
  bool TakeRecent(std::size_t limit, Batch& batch, bool& more);
  // The same from the log.
  Task<absl::Status> TakeStored(std::size_t limit, Batch& batch);
  bool Take(const SyncEvent& event, std::size_t limit, Batch& batch);

  const std::shared_ptr<Impl> impl_;
  const EventFilter filter_;
  Wakeup wakeup_;
  EventSequence place_;  // of the one Next at a time
  absl::Mutex mu_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
};

Task<void> EventBroker::Impl::Follow(std::shared_ptr<Impl> self) {
  bool failing = false;
  while (!self->IsStopped()) {
    EventSequence head;
    {
      absl::MutexLock lock(&self->mu);
      head = self->recent->head();
    }
    auto events = co_await self->Read(head, kChunk);
    absl::Duration wait = kLookAnyway;
    if (!events.ok()) {
      if (!failing) self->logger.Warning("events cannot be read", {{"error", events.status()}});
      wait = kStoreRetry;
    } else if (!events->empty()) {
      if (events->size() == kChunk) wait = absl::ZeroDuration();
      {
        absl::MutexLock lock(&self->mu);
        self->recent->Append(*std::move(events));
      }
      self->WakeAll();
    }
    failing = !events.ok();
    if (wait > absl::ZeroDuration()) co_await self->sleeper.Sleep(wait, &self->wakeup);
  }
}

Task<absl::StatusOr<std::vector<SyncEvent>>> EventBroker::Impl::Read(EventSequence after,
                                                                     int limit) {
  auto read = [self = shared_from_this(), after, limit] { return self->log.Read(after, limit); };
  return Offload(storage_pool, std::move(read));
}

Task<absl::StatusOr<EventRange>> EventBroker::Impl::Range() {
  auto range = [self = shared_from_this()] { return self->log.Range(); };
  return Offload(storage_pool, std::move(range));
}

void EventBroker::Impl::WakeAll() {
  // Notify only posts: nothing of the readers runs under our lock, and none of them can go
  // meanwhile.
  absl::MutexLock lock(&mu);
  for (Wakeup* reader : readers) reader->Notify();
}

Task<absl::StatusOr<EventSubscription::Batch>> EventBroker::Impl::Subscription::Next(
    int limit, absl::Duration patience) {
  const auto most = static_cast<std::size_t>(std::max(limit, 1));
  const absl::Duration deadline = impl_->clock.Monotonic() + patience;
  Batch batch;
  while (!Over()) {
    bool more = true;
    absl::Duration wait;
    if (!TakeRecent(most, batch, more)) {
      const absl::Status status = co_await TakeStored(most, batch);
      if (absl::IsOutOfRange(status)) co_return status;
      if (!status.ok()) wait = kStoreRetry;
    } else if (!more) {
      wait = absl::InfiniteDuration();
    }
    const absl::Duration left = deadline - impl_->clock.Monotonic();
    if (!batch.events.empty() || left <= absl::ZeroDuration()) {
      batch.scanned = place_;
      co_return batch;
    }
    if (wait > absl::ZeroDuration()) {
      co_await impl_->sleeper.Sleep(std::min(wait, left), &wakeup_);
    }
  }
  co_return Stopped();
}

bool EventBroker::Impl::Subscription::Take(const SyncEvent& event, std::size_t limit,
                                           Batch& batch) {
  if (batch.events.size() >= limit) return false;
  place_ = event.sequence;
  if (filter_.Matches(event)) batch.events.push_back(event);
  return true;
}

bool EventBroker::Impl::Subscription::TakeRecent(std::size_t limit, Batch& batch, bool& more) {
  std::optional<std::vector<RecentEvents::Event>> events;
  {
    absl::MutexLock lock(&impl_->mu);
    events = impl_->recent->After(place_, kChunk);
  }
  if (!events.has_value()) return false;
  more = events->size() == kChunk;
  for (const RecentEvents::Event& event : *events) {
    if (!Take(*event, limit, batch)) break;
  }
  return true;
}

Task<absl::Status> EventBroker::Impl::Subscription::TakeStored(std::size_t limit, Batch& batch) {
  const auto events = co_await impl_->Read(place_, kChunk);
  if (!events.ok()) co_return events.status();
  const bool contiguous = !events->empty() && Before(events->front().sequence) == place_;
  if (!contiguous) {
    const auto range = co_await impl_->Range();
    if (!range.ok()) co_return range.status();
    if (range->oldest > EventSequence(place_.value() + 1)) {
      co_return OutOfRange(
          "events behind " + std::to_string(place_.value()) + " were pruned before they were read",
          *range, "EVENTS_PRUNED");
    }
  }
  for (const SyncEvent& event : *events) {
    if (!Take(event, limit, batch)) break;
  }
  co_return absl::OkStatus();
}

EventBroker::EventBroker(EventLog& log, Sleeper& sleeper, TaskGroup& tasks, Executor storage_pool,
                         Logger& logger, const Clock& clock)
    : tasks_(tasks),
      impl_(std::make_shared<Impl>(log, sleeper, std::move(storage_pool), logger, clock)) {}

EventBroker::~EventBroker() { Stop(); }

absl::Status EventBroker::Start() {
  impl_->log.SetListener([impl = impl_] { impl->wakeup.Notify(); });
  ASSIGN_OR_RETURN(const EventRange range, impl_->log.Range());
  {
    absl::MutexLock lock(&impl_->mu);
    impl_->recent.emplace(range.newest, kRecent);
  }
  tasks_.Spawn(Impl::Follow(impl_));
  return absl::OkStatus();
}

Task<absl::StatusOr<std::unique_ptr<EventSubscription>>> EventBroker::Subscribe(
    std::optional<std::string> log_id, std::optional<EventSequence> after, EventFilter filter) {
  const auto impl = impl_;
  if (impl->IsStopped()) co_return Stopped();
  const auto range = co_await impl->Range();
  if (!range.ok()) co_return range.status();
  if (log_id.has_value() && *log_id != range->log_id) {
    co_return OutOfRange("that is another log", *range, "LOG_CHANGED");
  }
  EventSequence place = range->newest;
  if (after.has_value()) place = after->value() == 0 ? Before(range->oldest) : *after;
  if (place > range->newest || place < Before(range->oldest)) {
    co_return OutOfRange("nothing can be read behind " + std::to_string(place.value()), *range,
                         "SEQUENCE_OUT_OF_RANGE");
  }
  std::unique_ptr<EventSubscription> subscription =
      std::make_unique<Impl::Subscription>(impl, place, std::move(filter));
  co_return subscription;
}

void EventBroker::Stop() {
  {
    absl::MutexLock lock(&impl_->mu);
    if (impl_->stopped) return;
    impl_->stopped = true;
  }
  impl_->log.SetListener(nullptr);
  impl_->wakeup.Notify();
  impl_->WakeAll();
}

}  // namespace poller
