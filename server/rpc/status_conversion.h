// The one place where our errors become gRPC's.
//
// Every error carries a google.rpc.ErrorInfo (domain "odoopoller", a reason of
// odoopoller.v1.ErrorReason without its prefix) in grpc-status-details-bin, and a BadRequest if
// fields of the request are wrong.
#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "absl/status/status.h"

namespace poller::rpc {

// The same violations, with `prefix` ("connection.") before each field: core names fields of a
// connection, a request holds one.
absl::Status PrefixFields(const absl::Status& status, std::string_view prefix);

// Messages are made safe for a header and cut. Of internal errors only that there was one: the text
// goes to the log.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace poller::rpc
