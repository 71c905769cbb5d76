// What one connection may do, and how its ends learn that the other is gone.
#include <gmock/gmock.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "tests/integration/server/event_writer.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/integration/server/tearing_proxy.h"

namespace poller {
namespace {

using testing::HasSubstr;
using tcp = boost::asio::ip::tcp;

class LimitsTest : public ServerFixture {
 protected:
  // The SETTINGS with which the server greets a connection (RFC 9113, 6.5), by identifier.
  std::map<int, std::uint32_t> Settings() {
    const std::string address = app_->addresses().front();
    boost::asio::io_context io;
    tcp::socket socket(io);
    socket.connect({boost::asio::ip::address_v4::loopback(),
                    static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)))});
    const std::string greeting("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    boost::asio::write(socket, boost::asio::buffer(greeting));
    std::array<std::uint8_t, 9> header{};
    boost::asio::read(socket, boost::asio::buffer(header));
    EXPECT_EQ(header[3], 4) << "not SETTINGS";
    std::string body((header[0] << 16) + (header[1] << 8) + header[2], '\0');
    boost::asio::read(socket, boost::asio::buffer(body));
    std::map<int, std::uint32_t> settings;
    const auto byte = [&body](std::size_t at) { return static_cast<std::uint8_t>(body[at]); };
    for (std::size_t at = 0; at + 6 <= body.size(); at += 6) {
      std::uint32_t value = 0;
      for (std::size_t i = 2; i < 6; ++i) value = (value << 8) + byte(at + i);
      settings[(byte(at) << 8) + byte(at + 1)] = value;
    }
    return settings;
  }
};

TEST_F(LimitsTest, AConnectionHasTwoThousandCallsAtATime) {
  Start();
  constexpr int kMaxConcurrentStreams = 3;
  EXPECT_EQ(Settings()[kMaxConcurrentStreams], 2000u);
}

TEST_F(LimitsTest, ARequestIsFourMebibytesAtMost) {
  Start();
  v1::CreateConnectionRequest request;
  *request.mutable_connection() = ShopSettings();
  request.mutable_connection()->mutable_odoo()->set_ca_pem(std::string(4 << 20, 'x'));
  const auto refused = Call(connections_, &v1::ConnectionService::Stub::CreateConnection, request);
  EXPECT_EQ(refused.status.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.status.error_message(), HasSubstr("larger than max"));
  // One byte less than all that is read, and judged.
  request.mutable_connection()->mutable_odoo()->set_ca_pem(std::string(3 << 20, 'x'));
  EXPECT_EQ(WrongFields(
                Call(connections_, &v1::ConnectionService::Stub::CreateConnection, request).status)
                .size(),
            1u);
}

class KeepaliveTest : public ServerFixture {
 protected:
  // A client's channel of its own, which pings a quiet connection that often.
  std::shared_ptr<grpc::Channel> Pinging(const std::string& address, int every_ms) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, every_ms);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  EventReader Follow(const std::shared_ptr<grpc::Channel>& channel) {
    const auto stub = v1::SyncLogService::NewStub(channel);
    return {*stub, v1::StreamSyncEventsRequest(), admin_};
  }
};

// As documented a client pings every 30 s, and may every 10 s; here every second, which is as often
// as gRPC does, and every 300 ms. What the server sends forgives, so it is silent for some pings.
TEST_F(KeepaliveTest, AClientThatPingsAsDocumentedIsNotCut) {
  options_.keepalive.least_between_pings = absl::Milliseconds(300);
  Start(absl::Seconds(6));
  EventReader reader = Follow(Pinging(app_->addresses().front(), 1000));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(reader.NextHeartbeat().has_value());
}

TEST_F(KeepaliveTest, AClientThatPingsMoreOftenThanItMayIsCut) {
  options_.keepalive.least_between_pings = absl::Seconds(30);
  Start(absl::Seconds(20));
  EventReader reader = Follow(Pinging(app_->addresses().front(), 1000));
  const auto end = reader.End();
  EXPECT_EQ(end.status.error_code(), grpc::UNAVAILABLE) << end.status.error_message();
}

TEST_F(KeepaliveTest, TheStreamOfAPeerThatDoesNotAnswerIsFreed) {
  options_.streams_per_token = 1;
  options_.keepalive.silence = absl::Milliseconds(200);
  options_.keepalive.patience = absl::Milliseconds(200);
  Start();
  test::TearingProxy proxy;
  proxy.Next(app_->addresses().front(), std::nullopt);
  EventReader lost = Follow(Pinging(proxy.address(), 60'000));
  ASSERT_TRUE(lost.NextHeartbeat().has_value());
  EXPECT_THAT(Follow(channel_).End(), FailsWith(grpc::RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"));
  proxy.Stall();
  // No answer of the server's own: only its pings can tell. Each try is refused until they do.
  const absl::Time give_up = SystemClock().Now() + absl::Seconds(20);
  bool freed = false;
  while (!freed && SystemClock().Now() < give_up)
    freed = Follow(channel_).NextHeartbeat().has_value();
  EXPECT_TRUE(freed);
}

}  // namespace
}  // namespace poller
