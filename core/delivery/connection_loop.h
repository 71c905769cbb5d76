// The delivery of one connection: one loop that claims, and a task for each request in flight.
//
//   look (connection, what is due) ─▶ may we? ─▶ claim ─▶ task: sign, send, resolve ─▶ look again
//
// The loop alone decides and claims. A task reports to it through the state below and wakes it.
// What the receiver's answers change (breaker, gone) is stored by the loop, in order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/async/one_shot.h"
#include "core/async/sleeper.h"
#include "core/async/task.h"
#include "core/async/task_group.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/random_source.h"
#include "core/delivery/delivery_metrics.h"
#include "core/delivery/origin_probes.h"
#include "core/delivery/receiver_leg.h"
#include "core/delivery/webhook_sender.h"
#include "core/model/connection.h"
#include "core/storage/connection_store.h"
#include "core/storage/outbox_store.h"

namespace poller {

// What all loops share. Everything outlives them.
struct LoopContext {
  ConnectionStore& connections;
  OutboxStore& outbox;
  const WebhookSender& sender;
  OriginProbes& probes;
  const Clock& clock;
  Sleeper& sleeper;
  RandomSource& random;
  TaskGroup& tasks;
  Executor storage_pool;
  Logger& log;
  DeliveryMetrics& metrics;
  ReceiverLegOptions leg;
  int deliveries_per_connection = 8;
  int max_attempts = 5;
};

// Thread-safe. Shared by its own tasks, which may outlive Run.
class ConnectionLoop : public std::enable_shared_from_this<ConnectionLoop> {
 public:
  ConnectionLoop(ConnectionId id, std::shared_ptr<const LoopContext> context);

  // Ends when the connection is deleted, or after Stop when nothing is in flight any more.
  Task<void> Run();
  // Look again.
  void Hint() { wakeup_.Notify(); }
  void Stop();
  // Closes the breaker, ends every hold, and stores that. kNotFound: the connection is gone;
  // kCancelled: the loop has ended.
  Task<absl::Status> Reset();

 private:
  // One look at the store.
  struct View {
    View() = default;  // a constructor, so that g++ 12 does not take it for an aggregate
    std::shared_ptr<const Connection> connection;
    ConnectionState state;
    absl::Duration next_due = absl::InfiniteDuration();
  };
  // What is claimed, and how it is sent.
  struct Claimed {
    Claimed() = default;
    std::shared_ptr<const Connection> connection;
    std::shared_ptr<const ClaimedDelivery> delivery;
    ReceiverLeg::Ticket ticket;
    std::string probe_origin;  // its shared probe is ours; empty: not a probe
  };

  Task<absl::StatusOr<View>> Look();
  // Compares the view with what we know: settings that changed, an operator's end of "gone".
  void Adopt(const View& view);
  // Looks, claims what may be claimed, and starts it; returns how long to sleep, zero: look again.
  // kNotFound: the connection is deleted.
  Task<absl::StatusOr<absl::Duration>> Step();
  Task<absl::Duration> ClaimOpen(std::shared_ptr<const Connection> connection, int limit);
  Task<absl::Duration> ClaimProbe(std::shared_ptr<const Connection> connection);
  // Those that an operator forces, while the others are held for `wait`.
  Task<absl::Duration> ClaimForced(std::shared_ptr<const Connection> connection,
                                   absl::Duration wait);
  Task<absl::StatusOr<std::vector<ClaimedDelivery>>> Claim(int limit, bool forced_only);
  void Start(Claimed claimed);
  // Gives up the place in the queue for the shared probe, or the turn, of another origin than
  // `but`; with "" of any.
  void LeaveProbeQueue(const std::string& but = "");

  // One request, from its claim to its stored outcome. `self` keeps the loop's state alive.
  static Task<void> Deliver(std::shared_ptr<ConnectionLoop> self, Claimed claimed);
  DeliveryOutcome Conclude(const Claimed& claimed, const SendResult& result);
  // Repeats until it is stored; nothing: it does not matter any more.
  Task<std::optional<Resolution>> Resolve(std::shared_ptr<const ClaimedDelivery> delivery,
                                          DeliveryOutcome outcome);
  void Feed(const Claimed& claimed, const SendResult& result,
            const std::optional<Resolution>& resolution);
  void End(const Claimed& claimed);
  void Report(const ClaimedDelivery& delivery, const SendResult& result,
              const Resolution& resolution) const;

  // Does what Reset asked for, and stores what differs from what is stored. OK: nothing does.
  Task<absl::Status> Settle();
  Task<absl::Status> StoreBreaker();
  Task<absl::Status> StoreGone();
  void ReportBreaker(const BreakerRecord& from, const BreakerRecord& to) const;
  // How long a loop without news sleeps: a hint may be lost.
  absl::Duration Idle() const;
  // Nothing may be claimed before a task ends or an outcome is stored.
  bool Blocked() const;
  bool Stopping() const;
  int InFlight() const;
  std::vector<LogField> Fields(const ClaimedDelivery& delivery) const;

  const ConnectionId id_;
  const std::shared_ptr<const LoopContext> context_;
  Wakeup wakeup_;

  mutable absl::Mutex mu_;
  std::optional<ReceiverLeg> leg_ ABSL_GUARDED_BY(mu_);  // from the first look on
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  int in_flight_ ABSL_GUARDED_BY(mu_) = 0;
  int unstored_ ABSL_GUARDED_BY(mu_) = 0;  // outcomes that the store did not take
  std::vector<OneShot<absl::Status>> resets_ ABSL_GUARDED_BY(mu_);

  // Of the loop alone.
  BreakerRecord stored_breaker_;
  std::optional<absl::Time> stored_gone_;
  std::string receiver_;      // digest of the webhook's settings
  std::string probe_queue_;   // the origin for whose shared probe we wait; empty: none
  bool wants_probe_ = false;  // the last step found that we do
};

}  // namespace poller
