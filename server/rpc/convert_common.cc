#include "server/rpc/convert_common.h"

#include <algorithm>

#include "core/base/text.h"

namespace poller::rpc {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
// The years 1 to 9999, as the Timestamp message defines them.
constexpr std::int64_t kFirstSecond = -62'135'596'800;
constexpr std::int64_t kLastSecond = 253'402'300'799;

}  // namespace

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const std::int64_t seconds = std::clamp(absl::ToUnixSeconds(time), kFirstSecond, kLastSecond);
  proto.set_seconds(seconds);
  if (seconds == absl::ToUnixSeconds(time)) {
    proto.set_nanos(
        static_cast<std::int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  }
  return proto;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<std::int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

std::optional<absl::Duration> FromProto(const google::protobuf::Duration& duration) {
  const std::int64_t nanos = duration.nanos();
  if (nanos <= -kNanosPerSecond || nanos >= kNanosPerSecond) return std::nullopt;
  if ((duration.seconds() > 0 && nanos < 0) || (duration.seconds() < 0 && nanos > 0))
    return std::nullopt;
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(nanos);
}

absl::Time OdooTime(const std::string& text) {
  const auto time = ParseOdooTime(text);
  return time.ok() ? *time : absl::InfinitePast();
}

CutText CutPayload(std::string_view payload, std::size_t max_bytes) {
  CutText cut;
  cut.size = static_cast<std::int64_t>(payload.size());
  cut.truncated = payload.size() > max_bytes;
  if (cut.truncated) {
    payload = payload.substr(0, max_bytes);
    // Back to before a character that the cut went through: its continuation bytes, then its first
    // byte.
    std::size_t end = payload.size();
    while (end > 0 && (static_cast<unsigned char>(payload[end - 1]) & 0xC0) == 0x80) --end;
    if (end > 0 && static_cast<unsigned char>(payload[end - 1]) >= 0xC0) --end;
    // Nothing was cut through if the last character is whole.
    if (IsValidUtf8(payload.substr(end))) end = payload.size();
    payload = payload.substr(0, end);
  }
  cut.text = ToValidUtf8(payload);
  return cut;
}

}  // namespace poller::rpc
