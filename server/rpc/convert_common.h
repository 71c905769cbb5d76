// Values that all messages share.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace poller::rpc {

// What an answer holds of a payload at most.
inline constexpr std::size_t kMaxPayload = 1 << 20;

google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);
// Nothing if it is not one: nanoseconds out of range or of the other sign.
std::optional<absl::Duration> FromProto(const google::protobuf::Duration& duration);

// SetTime(message, &Message::mutable_create_time, time): sets the field if there is a time, and
// leaves it unset if it is infinite.
template <class Message>
void SetTime(Message& message, google::protobuf::Timestamp* (Message::*field)(), absl::Time time) {
  if (time != absl::InfinitePast() && time != absl::InfiniteFuture())
    *(message.*field)() = ToProto(time);
}

// Odoo's own time text; InfinitePast if it is empty or odd.
absl::Time OdooTime(const std::string& text);

struct CutText {
  std::string text;  // valid UTF-8, cut on a character's edge
  bool truncated = false;
  std::int64_t size = 0;  // bytes of the whole
};
CutText CutPayload(std::string_view payload, std::size_t max_bytes = kMaxPayload);

}  // namespace poller::rpc
