// Events as subscribers see them.
#pragma once

#include <optional>
#include <string>

#include "core/model/event.h"
#include "odoopoller/v1/event.pb.h"
#include "server/rpc/convert_common.h"

namespace poller::rpc {

// The API's event types are the model's, number for number, as far as the API knows them.
std::optional<EventType> FromProto(odoopoller::v1::EventType type);
odoopoller::v1::SyncEvent ToProto(const SyncEvent& event, const std::string& log_id);
// True for events whose detail is a delivery's: a body can go with them.
bool CarriesPayload(const SyncEvent& event);

}  // namespace poller::rpc
