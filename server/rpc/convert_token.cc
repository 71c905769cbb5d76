#include "server/rpc/convert_token.h"

#include <vector>

#include "core/base/status.h"
#include "core/model/connection.h"
#include "server/rpc/convert_common.h"

namespace poller::rpc {

namespace v1 = odoopoller::v1;

// The numbers are the same, so that a cast converts.
static_assert(static_cast<int>(v1::TOKEN_ROLE_VIEWER) == static_cast<int>(Role::kViewer));
static_assert(static_cast<int>(v1::TOKEN_ROLE_OPERATOR) == static_cast<int>(Role::kOperator));
static_assert(static_cast<int>(v1::TOKEN_ROLE_ADMIN) == static_cast<int>(Role::kAdmin));

v1::Token ToProto(const Token& token) {
  v1::Token proto;
  proto.set_id(token.id.value());
  proto.set_name(token.name);
  proto.set_role(static_cast<v1::TokenRole>(token.role));
  SetTime(proto, &v1::Token::mutable_create_time, token.created_at);
  SetTime(proto, &v1::Token::mutable_revoke_time, token.revoked_at.value_or(absl::InfinitePast()));
  SetTime(proto, &v1::Token::mutable_last_use_time,
          token.last_used_at.value_or(absl::InfinitePast()));
  return proto;
}

absl::Status CheckNewToken(const v1::CreateTokenRequest& request) {
  std::vector<FieldViolation> violations;
  if (const std::string wrong = NameFault(request.name()); !wrong.empty())
    violations.push_back({"name", wrong});
  if (request.role() != v1::TOKEN_ROLE_VIEWER && request.role() != v1::TOKEN_ROLE_OPERATOR &&
      request.role() != v1::TOKEN_ROLE_ADMIN) {
    violations.push_back({"role",
                          "must be TOKEN_ROLE_VIEWER, TOKEN_ROLE_OPERATOR or "
                          "TOKEN_ROLE_ADMIN"});
  }
  return violations.empty() ? absl::OkStatus() : InvalidFields(violations);
}

Role RoleOf(const v1::CreateTokenRequest& request) { return static_cast<Role>(request.role()); }

}  // namespace poller::rpc
