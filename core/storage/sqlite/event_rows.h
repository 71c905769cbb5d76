// Events as rows.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/event.h"
#include "core/storage/sqlite/writer.h"

namespace poller {

// Gives the event the next sequence. Only the writer's thread assigns them, so they become visible
// in order.
absl::StatusOr<EventSequence> AppendEvent(Transaction& transaction, const SyncEvent& event);
// The columns sequence, at, type, connection_id, connection_name, order_id, order_name, detail.
absl::StatusOr<SyncEvent> ReadEvent(const Query& row);

// JSON; fields that are unset are left out, unknown ones are passed over.
std::string EncodeDetail(const EventDetail& detail);
absl::StatusOr<EventDetail> DecodeDetail(const std::string& text);

}  // namespace poller
