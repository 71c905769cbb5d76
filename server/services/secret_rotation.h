// ConnectionService.RotateWebhookSecret: what of it stands alone.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/event.h"
#include "core/storage/connection_store.h"
#include "server/rpc/call.h"

namespace poller {

// ConnectionStore::RotateSecret, unless the caller has gone by now (Call::StillWanted): nobody would
// learn the new secret. Blocking.
absl::StatusOr<ConnectionStore::Rotated> RotateIfWanted(const rpc::Call& call,
                                                        ConnectionStore& store,
                                                        const SecretChange& change,
                                                        const Actor& actor, absl::Time now);

}  // namespace poller
