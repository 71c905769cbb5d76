// The ids of this program's things.
#pragma once

#include <cstdint>

#include "core/base/strong_id.h"

namespace poller {

using ConnectionId = StrongId<struct ConnectionIdTag>;  // ours
using OrderId = StrongId<struct OrderIdTag>;  // Odoo's sale.order id, unique in one Odoo database
using DeliveryId =
    StrongId<struct DeliveryIdTag>;  // a recorded revision of an order and its delivery
using EventSequence = StrongId<struct EventSequenceTag>;  // a place in the event log
using SyncLogId = StrongId<struct SyncLogIdTag>;
using JobId = StrongId<struct JobIdTag>;
using TokenId = StrongId<struct TokenIdTag>;

}  // namespace poller
