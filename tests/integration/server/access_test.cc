#include "server/rpc/access.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

namespace pb = google::protobuf;

// What the server really serves, asked for as a stranger would: by name, with an empty request.
class EveryMethodTest : public ServerFixture {
 protected:
  void SetUp() override { Start(); }

  static std::vector<const pb::MethodDescriptor*> Methods() {
    std::vector<const pb::MethodDescriptor*> methods;
    for (const pb::FileDescriptor* file :
         {v1::CreateConnectionRequest::descriptor()->file(),
          v1::ListSyncLogsRequest::descriptor()->file(),
          v1::ListRetriesRequest::descriptor()->file(), v1::ListOrdersRequest::descriptor()->file(),
          v1::GetServerStatusRequest::descriptor()->file()}) {
      for (int s = 0; s < file->service_count(); ++s) {
        for (int m = 0; m < file->service(s)->method_count(); ++m)
          methods.push_back(file->service(s)->method(m));
      }
    }
    return methods;
  }

  grpc::Status CallEmpty(const pb::MethodDescriptor& method, const std::string& token) {
    const std::string path = "/" + method.service()->full_name() + "/" + method.name();
    grpc::ClientContext context;
    Prepare(context, token);
    grpc::GenericStub stub(Channel());
    grpc::CompletionQueue queue;
    auto call = stub.PrepareCall(&context, path, &queue);
    call->StartCall(Tag(1));
    Wait(queue);
    const grpc::Slice empty("");
    call->WriteLast(grpc::ByteBuffer(&empty, 1), grpc::WriteOptions(), Tag(2));
    Wait(queue);
    grpc::ByteBuffer answer;
    call->Read(&answer, Tag(3));
    if (Wait(queue)) context.TryCancel();  // a stream goes on
    grpc::Status status;
    call->Finish(&status, Tag(4));
    Wait(queue);
    return status;
  }

 private:
  static void* Tag(std::intptr_t number) { return reinterpret_cast<void*>(number); }
  static bool Wait(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
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

TEST_F(EveryMethodTest, IsServed) {
  for (const auto* method : Methods()) {
    EXPECT_NE(CallEmpty(*method, admin_).error_code(), grpc::UNIMPLEMENTED) << method->full_name();
  }
}

}  // namespace
}  // namespace poller
