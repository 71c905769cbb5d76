// Sync logs and tests of a connection as the API shows them.
#pragma once

#include "core/model/sync_log.h"
#include "core/polling/polling_options.h"
#include "odoopoller/v1/connection_service.pb.h"
#include "odoopoller/v1/sync_log.pb.h"

namespace poller::rpc {

odoopoller::v1::SyncLog ToProto(const SyncLog& log);
odoopoller::v1::SyncCounts CountsOf(const PassResult& pass);
odoopoller::v1::TestStep ToProto(const TestStep& step);

}  // namespace poller::rpc
