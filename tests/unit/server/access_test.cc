#include "server/rpc/access.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "odoopoller/v1/admin_service.pb.h"
#include "odoopoller/v1/connection_service.pb.h"
#include "odoopoller/v1/order_service.pb.h"
#include "odoopoller/v1/retry_queue_service.pb.h"
#include "odoopoller/v1/sync_log_service.pb.h"
#include "server/rpc/status_conversion.h"
#include "tests/support/api_methods.h"
#include "tests/support/status_matchers.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(AccessTest, EveryMethodHasARole) {
  EXPECT_GE(test::ApiMethods().size(), 32u);
  for (const auto* method : test::ApiMethods()) {
    EXPECT_NE(AccessTo(*method).method, "")
        << method->full_name() << " has no entry in the table of roles";
  }
}

TEST(AccessTest, IsFoundByTheRequestToo) {
  for (const auto* method : test::ApiMethods()) {
    EXPECT_EQ(AccessOfRequest(*method->input_type()).method, AccessTo(*method).method)
        << method->full_name();
  }
}

TEST(AccessTest, WhatMovesDataElsewhereIsTheAdministrators) {
  EXPECT_EQ(AccessOfRequest(*v1::CreateConnectionRequest::descriptor()).role, Role::kAdmin);
  EXPECT_EQ(AccessOfRequest(*v1::UpdateConnectionRequest::descriptor()).role, Role::kAdmin);
  EXPECT_EQ(AccessOfRequest(*v1::DeleteConnectionRequest::descriptor()).role, Role::kAdmin);
}

TEST(AccessTest, NoPayloadForViewers) {
  EXPECT_EQ(AccessOfRequest(*v1::GetRetryRequest::descriptor()).role, Role::kOperator);
}

TEST(RequireRoleTest, LetsTheSameAndTheHigherPass) {
  EXPECT_OK(RequireRole(Role::kViewer, Role::kViewer, "x"));
  EXPECT_OK(RequireRole(Role::kAdmin, Role::kOperator, "x"));
}

TEST(RequireRoleTest, SaysWhichRoleIsNeeded) {
  const absl::Status status =
      RequireRole(Role::kViewer, Role::kAdmin, "ConnectionService.DeleteConnection");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("admin")));
  EXPECT_EQ(Reason(status), "ROLE_TOO_LOW");
  EXPECT_THAT(Metadata(status),
              UnorderedElementsAre(Pair("role", "viewer"), Pair("required_role", "admin")));
}

}  // namespace
}  // namespace poller::rpc
