// Follows the stream of events across interruptions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "client/session.h"
#include "odoopoller/v1/sync_log_service.pb.h"

namespace poller::client {

struct FollowOptions {
  // A stream that says nothing for so long is dead: the server sends a heartbeat every 15 s.
  absl::Duration silence = absl::Seconds(45);
  absl::Duration first_wait = absl::Milliseconds(200);  // before the first new attempt; doubles
  absl::Duration longest_wait = absl::Seconds(5);
};

struct FollowCallbacks {
  // An event, in order and once.
  std::function<void(const api::SyncEvent&)> event;
  // Called when messages came and no other waits: the time for work that may take a moment. May be
  // empty.
  std::function<void()> idle;
};

// Where a stream can go on.
struct Place {
  std::string log_id;
  std::optional<std::int64_t> sequence;
};

// Reads the stream of `request` until the user interrupts it (kDone), or until the server refuses
// (its exit code, after saying why). Once a message came, a connection that is lost is made again,
// after the last message. `place` is moved along.
int Follow(Session& session, api::StreamSyncEventsRequest request, const FollowCallbacks& callbacks,
           Place& place, const FollowOptions& options = {});

}  // namespace poller::client
