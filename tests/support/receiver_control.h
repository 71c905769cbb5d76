// The control API of the receiver's executable, under /receiver/.
//
//   GET  /receiver/summary     counts, and the violations in words
//   GET  /receiver/orders      what arrived, by order: connection_id, order_id, name, revision,
//   event, state, write_date,
//                              amount_total, attempts, first_at, accepted_at
//   GET  /receiver/attempts    every attempt: number, at, connection_id, webhook_id, order_id,
//   revision, event, verdict, status POST /receiver/mode        {status, kind, retry_after,
//   delay_ms, times, seconds, connection_id}: how to meet webhooks from now
//                              on; kind = answer | hang | reset-before | reset-after; `seconds`
//                              ends it by itself; {} is normal again
//   POST /receiver/order-status {order_id, status, connection_id}: 0 removes it
//   POST /receiver/secrets     {connection_id, secret}: one more that is accepted; "" or a path as
//   connection_id work too POST /receiver/clear       forgets what arrived
#pragma once

#include "tests/support/control_json.h"
#include "tests/support/receiver.h"

namespace poller::test {

inline bool IsReceiverControl(const TestRequest& request) {
  return request.path.starts_with("/receiver/");
}
TestReply HandleReceiverControl(WebhookReceiver& receiver, const TestRequest& request);

}  // namespace poller::test
