// What the API says while the server's disk is nearly full.
#include <gmock/gmock.h>

#include <limits>

#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using testing::HasSubstr;

class DiskLowTest : public ServerFixture {
 protected:
  void SetUp() override {
    options_.min_free_disk = std::numeric_limits<std::int64_t>::max() / 2;
    Start();
    v1::CreateConnectionRequest request;
    *request.mutable_connection() = ShopSettings();
    shop_ = Call(connections_, &v1::ConnectionService::Stub::CreateConnection, request)
                ->connection()
                .id();
  }
  std::int64_t Unhealthy() {
    return Call(status_, &v1::AdminService::Stub::GetServerStatus, v1::GetServerStatusRequest())
        ->unhealthy_count();
  }
  std::int64_t ListedAsUnhealthy() {
    v1::ListConnectionsRequest request;
    request.set_unhealthy(true);
    return Call(connections_, &v1::ConnectionService::Stub::ListConnections, request)
        ->connections_size();
  }
};

TEST_F(DiskLowTest, AShopThatWouldBePolledIsUnhealthy) {
  EXPECT_EQ(Shop(shop_).state().health(), v1::CONNECTION_HEALTH_STANDS_STILL);
  EXPECT_EQ(ListedAsUnhealthy(), 1);
  EXPECT_EQ(Unhealthy(), 1);
}

TEST_F(DiskLowTest, AShopThatIsPausedIsPaused) {
  Pause(shop_, v1::PAUSE_SCOPE_POLLING);
  EXPECT_EQ(Shop(shop_).state().health(), v1::CONNECTION_HEALTH_PAUSED);
  EXPECT_EQ(ListedAsUnhealthy(), 0);
  EXPECT_EQ(Unhealthy(), 0);
}

TEST_F(DiskLowTest, CountingForABackfillSaysWhyItCannot) {
  v1::StartBackfillRequest request;
  *request.mutable_connection() = Ref(shop_);
  request.set_validate_only(true);
  const auto counted = Call(jobs_, &v1::JobService::Stub::StartBackfill, request);
  EXPECT_THAT(counted, FailsWith(grpc::StatusCode::UNAVAILABLE, "DISK_LOW"));
  EXPECT_THAT(counted.status.error_message(), HasSubstr("disk is nearly full"));
}

}  // namespace
}  // namespace poller
