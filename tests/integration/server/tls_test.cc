#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "tests/integration/server/certificates.h"
#include "tests/integration/server/server_fixture.h"

namespace poller {
namespace {

using testing::HasSubstr;

class TlsTest : public ServerFixture {
 protected:
  TlsTest() {
    options_.tls_cert = Write("cert.pem", pair_.certificate_pem);
    options_.tls_key = Write("key.pem", pair_.key_pem);
  }
  std::filesystem::path Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_.path() / name;
    std::ofstream(path) << text;
    return path;
  }
  Answer<v1::GetServerStatusResponse> CallOver(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    const auto stub =
        v1::AdminService::NewStub(grpc::CreateChannel(app_->addresses().front(), credentials));
    return Call(stub, &v1::AdminService::Stub::GetServerStatus, v1::GetServerStatusRequest());
  }
  std::shared_ptr<grpc::ChannelCredentials> Tls(const test::KeyPair& client = {}) const {
    return grpc::SslCredentials(
        {authority_.certificate_pem, client.key_pem, client.certificate_pem});
  }

  const test::KeyPair authority_ = test::MakeAuthority("authority");
  const test::KeyPair pair_ = test::MakeCertificate(authority_, "pollerd");
};

TEST_F(TlsTest, ServesWhoTrustsTheAuthority) {
  Start();
  const auto answer = CallOver(Tls());
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
}

TEST_F(TlsTest, RefusesPlaintext) {
  Start();
  EXPECT_EQ(CallOver(grpc::InsecureChannelCredentials()).status.error_code(), grpc::UNAVAILABLE);
}

TEST_F(TlsTest, AsksForATokenToo) {
  Start();
  admin_ = "wrong";
  EXPECT_THAT(CallOver(Tls()), FailsWith(grpc::UNAUTHENTICATED, "TOKEN_INVALID"));
}

TEST_F(TlsTest, AsksForAClientsCertificateIfSoSet) {
  options_.tls_client_ca = Write("ca.pem", authority_.certificate_pem);
  Start();
  EXPECT_TRUE(CallOver(Tls(test::MakeCertificate(authority_, "client"))).ok());
  EXPECT_EQ(CallOver(Tls()).status.error_code(), grpc::UNAVAILABLE);
  const test::KeyPair stranger = test::MakeCertificate(test::MakeAuthority("another"), "client");
  EXPECT_EQ(CallOver(Tls(stranger)).status.error_code(), grpc::UNAVAILABLE);
}

TEST_F(TlsTest, NamesTheFileThatIsNotWhatItShouldBe) {
  Write("key.pem", "no key");
  EXPECT_THAT(App::Start(options_, NullLogger()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--tls-key")));
  options_.tls_cert = folder_.path() / "missing.pem";
  EXPECT_THAT(App::Start(options_, NullLogger()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--tls-cert")));
}

TEST_F(TlsTest, RefusesAKeyOfAnotherCertificate) {
  Write("key.pem", test::MakeCertificate(authority_, "another").key_pem);
  EXPECT_THAT(App::Start(options_, NullLogger()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("do not belong together")));
}

}  // namespace
}  // namespace poller
