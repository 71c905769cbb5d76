// Enums as they are stored. The numbers never change, whatever is added to the enums.
#pragma once

#include <cstdint>

#include "core/model/connection.h"
#include "core/model/delivery.h"
#include "core/model/job.h"
#include "core/storage/token_store.h"

namespace poller {

// The schema's indexes and our SQL name these as literals.
static_assert(static_cast<int>(DeliveryStatus::kPending) == 0);
static_assert(static_cast<int>(DeliveryStatus::kDelivered) == 1);
static_assert(static_cast<int>(DeliveryStatus::kDead) == 2);
static_assert(static_cast<int>(DeliveryStatus::kSuperseded) == 3);
static_assert(static_cast<int>(DeliveryStatus::kDiscarded) == 4);
static_assert(static_cast<int>(DeliveryStatus::kWithdrawn) == 5);
static_assert(static_cast<int>(DeliveryStatus::kBaseline) == 6);
static_assert(static_cast<int>(OrderCondition::kConfirmed) == 0);
static_assert(static_cast<int>(OrderCondition::kCancelled) == 1);
static_assert(static_cast<int>(DeliveryClass::kLive) == 0);
static_assert(static_cast<int>(DeliveryClass::kHistory) == 1);
static_assert(static_cast<int>(BreakerState::kClosed) == 0);
static_assert(static_cast<int>(BreakerState::kOpen) == 1);
static_assert(static_cast<int>(BreakerState::kHalfOpen) == 2);
static_assert(static_cast<int>(OdooProtocol::kAuto) == 0);
static_assert(static_cast<int>(OdooProtocol::kJsonRpc) == 1);
static_assert(static_cast<int>(OdooProtocol::kJson2) == 2);
static_assert(static_cast<int>(JobKind::kBackfill) == 1);
static_assert(static_cast<int>(JobKind::kReconcile) == 2);
static_assert(static_cast<int>(JobState::kQueued) == 1);
static_assert(static_cast<int>(JobState::kRunning) == 2);
static_assert(static_cast<int>(JobState::kSucceeded) == 3);
static_assert(static_cast<int>(JobState::kFailed) == 4);
static_assert(static_cast<int>(JobState::kCancelled) == 5);
static_assert(static_cast<int>(Role::kViewer) == 1);
static_assert(static_cast<int>(Role::kOperator) == 2);
static_assert(static_cast<int>(Role::kAdmin) == 3);

template <class Enum>
constexpr int Code(Enum value) {
  return static_cast<int>(value);
}
template <class Enum>
constexpr Enum FromCode(std::int64_t code) {
  return static_cast<Enum>(code);
}

}  // namespace poller
