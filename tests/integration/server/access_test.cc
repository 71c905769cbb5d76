#include "server/rpc/access.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>

#include <string>

#include "grpc/health/v1/health.pb.h"
#include "tests/integration/server/raw_call.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/support/api_methods.h"

namespace poller {
namespace {

namespace pb = google::protobuf;

// What the server really serves, asked for as a stranger would: by name, with an empty request.
class EveryMethodTest : public ServerFixture {
 protected:
  void SetUp() override {
    options_.longest_refusal = absl::ZeroDuration();
    Start();
  }

  static const auto& Methods() { return test::ApiMethods(); }
  grpc::Status CallEmpty(const pb::MethodDescriptor& method, const std::string& token) {
    grpc::ClientContext context;
    Prepare(context, token);
    return CallByName(Channel(), context, method, "").status;
  }
};

TEST_F(EveryMethodTest, RefusesACallWithoutToken) {
  for (const auto* method : Methods()) {
    const grpc::Status status = CallEmpty(*method, "");
    EXPECT_EQ(status.error_code(), grpc::UNAUTHENTICATED) << method->full_name();
    EXPECT_EQ(InfoOf(status).reason(), "TOKEN_MISSING") << method->full_name();
  }
}

TEST_F(EveryMethodTest, RefusesAWrongToken) {
  for (const auto* method : Methods()) {
    const grpc::Status status = CallEmpty(*method, "wrong-" + admin_);
    EXPECT_EQ(status.error_code(), grpc::UNAUTHENTICATED) << method->full_name();
    EXPECT_EQ(InfoOf(status).reason(), "TOKEN_INVALID") << method->full_name();
  }
}

TEST_F(EveryMethodTest, AdmitsTheRolesOfTheTableAlone) {
  for (const auto* method : Methods()) {
    const Role needed = rpc::AccessTo(*method).role;
    for (const auto& [role, token] : tokens_) {
      const grpc::Status status = CallEmpty(*method, token);
      EXPECT_NE(status.error_code(), grpc::UNAUTHENTICATED) << method->full_name();
      EXPECT_EQ(status.error_code() == grpc::PERMISSION_DENIED, role < needed)
          << method->full_name() << " as " << rpc::RoleName(role) << ": " << status.error_message();
      if (role < needed) {
        EXPECT_EQ(InfoOf(status).reason(), "ROLE_TOO_LOW");
      }
    }
  }
}

TEST_F(EveryMethodTest, HealthNeedsNoToken) {
  const auto* health = grpc::health::v1::HealthCheckRequest::descriptor()->file()->service(0);
  EXPECT_TRUE(CallEmpty(*health->FindMethodByName("Check"), "").ok());
}

TEST_F(EveryMethodTest, IsServed) {
  for (const auto* method : Methods()) {
    EXPECT_NE(CallEmpty(*method, admin_).error_code(), grpc::UNIMPLEMENTED) << method->full_name();
  }
}

}  // namespace
}  // namespace poller
