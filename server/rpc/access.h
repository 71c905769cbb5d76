// Which role each RPC needs: the one table.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/storage/token_store.h"

namespace poller::rpc {

// What a call may do, found from its RPC.
struct Access {
  std::string
      method;  // "ConnectionService.GetConnection"; empty: not in the table, nobody may call it
  Role role = Role::kAdmin;  // at least this
  bool stream = false;       // the server answers with a stream
};

// The entry of an RPC.
Access AccessTo(const google::protobuf::MethodDescriptor& method);
// The entry of the RPC that takes this request: the API gives each RPC a request type of its own.
Access AccessOfRequest(const google::protobuf::Descriptor& request);

// "viewer", "operator", "admin".
std::string_view RoleName(Role role);

// kPermissionDenied (reason ROLE_TOO_LOW) says which role the token has and which is needed for
// `what`.
absl::Status RequireRole(Role has, Role needs, std::string_view what);

}  // namespace poller::rpc
