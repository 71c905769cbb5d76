#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

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

// Renewed certificates are taken from the files while the server runs. Each try is a handshake; the
// server looks at its files once a second.
class TlsReloadTest : public TlsTest {
 protected:
  TlsReloadTest() { options_.tls_reload = absl::Seconds(1); }

  void Replace(const test::KeyPair& pair) {
    // As a tool that renews them does: the new file takes the place of the old at once.
    for (const auto& [name, text] :
         {std::pair("key.pem", pair.key_pem), std::pair("cert.pem", pair.certificate_pem)}) {
      const auto draft = Write(std::string(name) + ".new", text);
      std::filesystem::rename(draft, folder_.path() / name);
    }
  }
  // True when a call gives `code`; false when none does for long.
  bool Until(grpc::StatusCode code, const grpc::SslCredentialsOptions& options) {
    const absl::Time patience = SystemClock().Now() + absl::Seconds(60);
    while (SystemClock().Now() < patience) {
      if (CallOver(grpc::SslCredentials(options)).status.error_code() == code) return true;
    }
    return false;
  }
};

TEST_F(TlsReloadTest, ServesTheNewCertificateToNewClients) {
  Start();
  ASSERT_TRUE(CallOver(Tls()).ok());
  const test::KeyPair next = test::MakeAuthority("next");
  Replace(test::MakeCertificate(next, "pollerd"));
  EXPECT_TRUE(Until(grpc::OK, {next.certificate_pem, "", ""}));
  EXPECT_EQ(CallOver(Tls()).status.error_code(), grpc::UNAVAILABLE);
}

TEST_F(TlsReloadTest, TakesANewAuthorityOfClients) {
  options_.tls_client_ca = Write("ca.pem", authority_.certificate_pem);
  Start();
  const test::KeyPair next = test::MakeAuthority("next");
  const test::KeyPair client = test::MakeCertificate(next, "client");
  ASSERT_EQ(CallOver(Tls(client)).status.error_code(), grpc::UNAVAILABLE);
  Write("ca.pem", next.certificate_pem);
  EXPECT_TRUE(
      Until(grpc::OK, {authority_.certificate_pem, client.key_pem, client.certificate_pem}));
}

TEST_F(TlsReloadTest, OpenConnectionsGoOn) {
  Start();
  const auto stub =
      v1::AdminService::NewStub(grpc::CreateChannel(app_->addresses().front(), Tls()));
  const auto call = [&] {
    return Call(stub, &v1::AdminService::Stub::GetServerStatus, v1::GetServerStatusRequest());
  };
  ASSERT_TRUE(call().ok());
  const test::KeyPair next = test::MakeAuthority("next");
  Replace(test::MakeCertificate(next, "pollerd"));
  ASSERT_TRUE(Until(grpc::OK, {next.certificate_pem, "", ""}));
  EXPECT_TRUE(call().ok());
}

}  // namespace
}  // namespace poller
