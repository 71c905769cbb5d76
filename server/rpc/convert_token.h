// Tokens, to and from the API.
#pragma once

#include "absl/status/status.h"
#include "core/storage/token_store.h"
#include "odoopoller/v1/admin_service.pb.h"

namespace poller::rpc {

odoopoller::v1::Token ToProto(const Token& token);
// kInvalidArgument names "name" and "role" if they are wrong.
absl::Status CheckNewToken(const odoopoller::v1::CreateTokenRequest& request);
// The role of a request that was checked.
Role RoleOf(const odoopoller::v1::CreateTokenRequest& request);

}  // namespace poller::rpc
