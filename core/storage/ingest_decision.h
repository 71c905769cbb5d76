// What becomes of one order that was read from Odoo. Pure: no clock, no storage; any engine calls
// it inside its transaction.
//
//   observed            head                 what follows
//   confirmed           none                 revision 1
//   confirmed           same content         UNCHANGED; its write_date is noted. A resend makes it
//                                            pending again under its id, a backfill only if it was
//                                            baseline. With send_every_touch, a moved write_date is
//                                            a new revision.
//   confirmed           other content        the next revision, also when an older revision had
//                                            that content
//   confirmed           cancelled            the next revision: confirmed anew
//   confirmed           imported, delivered  UNCHANGED if nothing was written since, and its content
//                       or dead              is what the head has from now on: what another program
//                                            sent is not sent again, what it gave up stays dead
//   confirmed           imported, pending    the next revision
//   cannot be mapped    same record, reason  UNCHANGED
//   cannot be mapped    anything else        the next revision, dead
//   cancelled           none, or cancelled   nothing to say
//   cancelled, with     none                 while a restored connection is held, and if the receiver
//   its content                              wants to hear it: revision 1, which says so. What the
//                                            backup does not know may have been delivered.
//   cancelled           confirmed            never attempted: superseded. Then, if a receiver may
//                                            know the order and wants to hear it, the next revision
//                                            says so; else what waits is withdrawn.
//   confirmed, or       same, but written    the next revision, while a restored connection is held:
//   cancelled           after it             the receiver may have been told something between the
//                                            two that we do not know
//   any                 newer write_date     dropped as stale, unless it still stands one overlap
//                                            after the head's read
//
// A new revision supersedes every older one that is pending or dead and not in flight.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/delivery.h"
#include "core/storage/ingest_store.h"

namespace poller {

// A revision that is pending or dead. An older one than the newest can be so only while it is in
// flight.
struct OpenRevision {
  DeliveryId id;
  int revision = 0;
  DeliveryStatus status = DeliveryStatus::kPending;
  bool in_flight = false;
  int attempts = 0;  // requests that ended
};

// What is known of one order before the observation.
struct OrderHistory {
  // Nothing if the order is new to this Odoo: a connection that was moved to another Odoo begins
  // anew.
  std::optional<OrderHead> head;
  // The highest revision recorded under this connection and order id, also for an Odoo that was
  // replaced: numbers go on, because a receiver that remembers them refuses smaller ones.
  int last_revision = 0;
  // The smallest number that a revision may take: a restore raises it above what was given out
  // after the backup.
  int revision_floor = 1;
  // The connection was restored from a backup, and not yet compared with Odoo as a whole.
  bool held = false;
  std::vector<OpenRevision> open;
  // Of the newest revision, if `head` is set:
  bool unmappable = false;
  std::string unmappable_reason;
  bool damaged = false;  // its stored content cannot be opened: the next observation replaces it
  bool reconfirmed = false;  // NewRevision
  int base = 0;              // NewRevision
  // Some revision of the order was requested or accepted. Needed for cancelled orders alone.
  bool attempted = false;
  // Some revision of the order was baseline. Needed for cancelled orders alone.
  bool was_baseline = false;
  // Some revision of the order could be mapped. Needed for cancelled orders alone.
  bool has_content = false;
};

struct NewRevision {
  enum class Content {
    kObserved,      // Observation::content
    kRawRecord,     // UnmappableOrder::raw_record
    kLastRecorded,  // that of the newest revision that could be mapped
  };
  int revision = 0;
  DeliveryStatus status = DeliveryStatus::kPending;  // or kBaseline, kDead
  OrderCondition condition = OrderCondition::kConfirmed;
  Content content = Content::kObserved;
  std::string order_name;
  std::string content_hash;  // empty: unmappable
  std::string write_date;
  std::string reason;  // kDead: "unmappable"
  std::string error;   // kDead: why, safe to show
  bool confirmed_before_start = false;
  // The order was cancelled before this revision or one that this one follows...
  bool reconfirmed = false;
  // ...and this is the first revision since. 1 if it never was.
  int base = 1;
};

struct IngestDecision {
  enum class Outcome { kRecorded, kUnchanged, kRequeued, kDead, kCancelled, kStale, kIgnored };
  Outcome outcome = Outcome::kIgnored;
  std::optional<NewRevision> revision = std::nullopt;
  std::vector<DeliveryId> supersede = {};
  std::optional<DeliveryId> withdraw = std::nullopt;
  // Imported: takes the observation's content for its own.
  std::optional<DeliveryId> adopt = std::nullopt;
  // Becomes pending and due now, for a resend past breaker and backoff; nothing changes if it is so
  // already.
  std::optional<DeliveryId> requeue = std::nullopt;
  // The head to store. `delivery` and `status` are those of `revision`, if there is one.
  std::optional<OrderHead> head = std::nullopt;
};

// An imported head whose order was not written since: what is read now is what was sent, or given
// up. Not so what waits to be read.
bool IsAsImported(const OrderHead& head, const std::string& write_date,
                  const std::string& line_write_date);

IngestDecision Decide(const OrderHistory& history, const Observation& order,
                      const IngestBatch& batch);
IngestDecision Decide(const OrderHistory& history, const UnmappableOrder& order,
                      const IngestBatch& batch);
IngestDecision Decide(const OrderHistory& history, const CancelledOrder& order,
                      const IngestBatch& batch);

// The name of the event that a revision's first claim fixes. `receiver_may_know`: a revision from
// `base` on, older than this one, was accepted, or its answer was lost; or one of them or this one
// was baseline.
std::string_view FirstClaimEvent(OrderCondition condition, bool receiver_may_know, bool reconfirmed,
                                 bool confirmed_before_start);

}  // namespace poller
