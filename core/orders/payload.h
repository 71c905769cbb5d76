// The webhook's body. Pure; thread-safe.
//
// The body is made in two steps, because its event name and connection_id are fixed at the first
// claim only: `EncodeContent` when the order is recorded, `RenderBody` when it is sent. Equal
// inputs give equal bytes for ever: the bytes are signed, and a repeat must be the same.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/model/order.h"

namespace poller {

// An opaque text with all of the order; never parsed by a store.
std::string EncodeContent(const Order& order, const std::string& database);
// Over the normalised order without write_date; "1:" and hex: the number rises when the algorithm
// or the content's form changes.
std::string ContentHash(const Order& order, const std::string& database);

// The exact bytes: compact JSON, always valid UTF-8 (a bad byte becomes U+FFFD). With event
// "order.cancelled" the state is "cancel". kDataLoss: `content` is not EncodeContent's.
absl::StatusOr<std::string> RenderBody(std::string_view content, std::string_view event,
                                       std::string_view webhook_connection_id, int revision);

// A number as plain decimal, the shortest that reads back equal, with at least one digit behind the
// point: "119.0". Zero has no sign. `value` is finite.
std::string PlainDecimal(double value);

}  // namespace poller
