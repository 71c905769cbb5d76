#include "core/http/egress_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using std::string_literals::operator""s;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

IpAddress Ip(const std::string& text) { return IpAddress::Parse(text).value(); }
Cidr Range(const std::string& text) { return Cidr::Parse(text).value(); }

TEST(IpAddressTest, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(Ip("192.168.1.20").Text(), "192.168.1.20");
  EXPECT_EQ(Ip("2001:DB8:0:0::1").Text(), "2001:db8::1");
  for (const std::string& text :
       {""s, "1.2.3"s, "1.2.3.4.5"s, "256.1.1.1"s, "010.0.0.1"s, "0x7f.0.0.1"s, "localhost"s,
        "fe80::1%eth0"s, "[::1]"s, "::1 "s, "1.2.3.4\0"s}) {
    EXPECT_THAT(IpAddress::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(IpAddressTest, CanonicalUnwrapsTheAddressInside) {
  EXPECT_EQ(Ip("::ffff:10.0.0.1").Canonical().Text(), "10.0.0.1");
  EXPECT_EQ(Ip("64:ff9b::10.0.0.1").Canonical().Text(), "10.0.0.1");
  EXPECT_EQ(Ip("2002:0a00:0001::5").Canonical().Text(), "10.0.0.1");
  EXPECT_EQ(Ip("2001:4860::1").Canonical().Text(), "2001:4860::1");
  EXPECT_EQ(Ip("10.0.0.1").Canonical().Text(), "10.0.0.1");
}

TEST(IpAddressTest, ReadsSocketAddressesOfTheInternetAlone) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0x7f000001);
  EXPECT_THAT(IpAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&v4)),
              IsOkAndHolds(Ip("127.0.0.1")));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  EXPECT_THAT(IpAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&v6)),
              IsOkAndHolds(Ip("::1")));
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_THAT(IpAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&local)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(CidrTest, ContainsUpToTheLastBitOfItsPrefix) {
  EXPECT_TRUE(Range("10.0.0.0/8").Contains(Ip("10.255.255.255")));
  EXPECT_FALSE(Range("10.0.0.0/8").Contains(Ip("11.0.0.0")));
  EXPECT_TRUE(Range("172.16.0.0/12").Contains(Ip("172.31.255.255")));
  EXPECT_FALSE(Range("172.16.0.0/12").Contains(Ip("172.32.0.0")));
  EXPECT_TRUE(Range("192.168.1.20").Contains(Ip("192.168.1.20")));
  EXPECT_FALSE(Range("192.168.1.20").Contains(Ip("192.168.1.21")));
  EXPECT_TRUE(Range("0.0.0.0/0").Contains(Ip("8.8.8.8")));
  EXPECT_FALSE(Range("0.0.0.0/0").Contains(Ip("2001:4860::1")));
  EXPECT_TRUE(Range("fd00::/8").Contains(Ip("fdff::1")));
  EXPECT_FALSE(Range("fd00::/8").Contains(Ip("fc00::1")));
  EXPECT_TRUE(Range("10.0.0.0/8").Contains(Ip("::ffff:10.1.2.3")));
}

TEST(CidrTest, RefusesWhatWouldNotMeanWhatItSays) {
  for (const std::string text : {"", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
                                 "10.0.0.0/8 ", "10.0.0.1/8", "fd00::1/8", "::/129", "loopback",
                                 "10.0.0.0/8/8", "::ffff:10.0.0.0/104", "2002::/16"}) {
    EXPECT_THAT(Cidr::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("10.0.0.0/8")))
        << text;
  }
}

TEST(EgressPolicyTest, PublicAddressesNeedHttps) {
  EgressPolicy policy;
  for (const std::string text : {"8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1"}) {
    EXPECT_OK(policy.Check(Ip(text), true)) << text;
    EXPECT_THAT(policy.Check(Ip(text), false),
                StatusIs(absl::StatusCode::kPermissionDenied,
                         AllOf(HasSubstr(text), HasSubstr("--egress-allow-http"))));
  }
  policy.allow_http = true;
  EXPECT_OK(policy.Check(Ip("8.8.8.8"), false));
}

TEST(EgressPolicyTest, LocalAddressesNeedToBeAllowedThenHttpIsFineToo) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"127.0.0.1", "127.0.0.0/8"},
      {"127.255.255.254", "127.0.0.0/8"},
      {"10.0.0.1", "10.0.0.0/8"},
      {"172.16.0.1", "172.16.0.0/12"},
      {"192.168.1.1", "192.168.0.0/16"},
      {"100.64.0.1", "100.64.0.0/10"},
      {"::1", "::1"},
      {"fd12:3456::1", "fd00::/8"},
      {"::ffff:127.0.0.1", "127.0.0.1"},
      {"64:ff9b::10.0.0.1", "10.0.0.0/8"},
      {"2002:7f00:1::1", "127.0.0.0/8"},
  };
  for (const auto& [text, range] : cases) {
    EgressPolicy policy;
    policy.allow_http = true;  // is about public addresses alone
    EXPECT_THAT(policy.Check(Ip(text), true), StatusIs(absl::StatusCode::kPermissionDenied,
                                                       HasSubstr("--egress-allow for its range")))
        << text;
    EXPECT_THAT(policy.Check(Ip(text), false), Not(IsOk())) << text;
    policy.allow = {Range("203.0.0.0/8"), Range(range)};
    EXPECT_OK(policy.Check(Ip(text), true)) << text;
    policy.allow_http = false;
    EXPECT_OK(policy.Check(Ip(text), false)) << text;
  }
}

TEST(EgressPolicyTest, SomeAddressesAreNeverCalled) {
  EgressPolicy policy;
  policy.allow_http = true;
  policy.allow = {Range("0.0.0.0/0"), Range("::/0")};
  for (const std::string text :
       {"0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "168.63.129.16", "100.100.100.200",
        "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1",
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "febf::1",
        "fec0::1", "ff02::1", "fd00:ec2::254", "fd20:ce::254", "100::1", "2001::1", "2001:db8::1",
        "3fff::1", "64:ff9b:1::1", "::8.8.8.8", "4000::1", "e000::1",
        // An address hidden in another.
        "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1",
        "::ffff:0.0.0.0"}) {
    EXPECT_THAT(policy.Check(Ip(text), true),
                StatusIs(absl::StatusCode::kPermissionDenied,
                         AllOf(HasSubstr("never called"), Not(HasSubstr("--egress")))))
        << text;
  }
}

}  // namespace
}  // namespace poller
