// Events in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/output/table.h"
#include "client/session.h"
#include "odoopoller/v1/event.pb.h"

namespace poller::client {

// "delivery-succeeded"; the number if it is newer than this client.
std::string EventName(api::EventType type);
// The types that `name` means: one by its name, several by a beginning such as "delivery". Empty:
// none.
std::vector<api::EventType> EventTypes(std::string_view name);
// All names, with commas between.
std::string AllEventNames();

Colour EventColour(api::EventType type);
// What happened beside type, connection and time: "S00042 r1, 200, attempt 1". Not made printable.
std::string DescribeEvent(const api::SyncEvent& event, absl::Time now);

}  // namespace poller::client
