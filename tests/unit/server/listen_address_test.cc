#include "server/listen_address.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using testing::HasSubstr;

TEST(ListenAddressTest, ReadsHostsAndSockets) {
  ASSERT_OK_AND_ASSIGN(const auto v4, ListenAddress::Parse("127.0.0.1:50051"));
  EXPECT_EQ(v4.host, "127.0.0.1");
  EXPECT_EQ(v4.port, 50051);
  ASSERT_OK_AND_ASSIGN(const auto v6, ListenAddress::Parse("[::1]:0"));
  EXPECT_EQ(v6.host, "::1");
  ASSERT_OK_AND_ASSIGN(const auto unix_socket, ListenAddress::Parse("unix:/run/p.sock"));
  EXPECT_TRUE(unix_socket.IsUnix());
}

TEST(ListenAddressTest, ShowsTheBoundPort) {
  EXPECT_EQ(ListenAddress::Parse("127.0.0.1:0")->Text(42), "127.0.0.1:42");
  EXPECT_EQ(ListenAddress::Parse("[::1]:0")->Text(42), "[::1]:42");
  EXPECT_EQ(ListenAddress::Parse("unix:/run/p.sock")->Text(1), "unix:/run/p.sock");
}

TEST(ListenAddressTest, RefusesWhatIsNone) {
  for (const char* const text : {"", "127.0.0.1", ":1", "127.0.0.1:", "127.0.0.1:65536",
                                 "127.0.0.1:-1", "::1:5", "host:port", "unix:"}) {
    EXPECT_THAT(ListenAddress::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("127.0.0.1:50051")))
        << text;
  }
}

}  // namespace
}  // namespace poller
