#include "core/base/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/status_matchers.h"

namespace poller {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;
using testing::Not;

Url Make(std::string scheme, std::string host, std::uint16_t port, std::string path) {
  Url url;
  url.scheme = std::move(scheme);
  url.host = std::move(host);
  url.port = port;
  url.path = std::move(path);
  return url;
}

TEST(ParseUrlTest, TakesApartWhatIsRight) {
  const std::vector<std::pair<std::string, Url>> cases = {
      {"https://shop.example", Make("https", "shop.example", 443, "/")},
      {"http://shop.example/", Make("http", "shop.example", 80, "/")},
      {"HTTPS://Shop.EXAMPLE/Path", Make("https", "shop.example", 443, "/Path")},
      {"https://shop.example:8443/a/b?c=d&e=%20",
       Make("https", "shop.example", 8443, "/a/b?c=d&e=%20")},
      {"https://shop.example?x=1", Make("https", "shop.example", 443, "/?x=1")},
      {"https://shop.example/?next=http://a@b",
       Make("https", "shop.example", 443, "/?next=http://a@b")},
      {"http://localhost:8069", Make("http", "localhost", 8069, "/")},
      {"http://odoo_web:8069", Make("http", "odoo_web", 8069, "/")},
      {"http://127.0.0.1:65535/x", Make("http", "127.0.0.1", 65535, "/x")},
      {"http://[::1]:8069/x", Make("http", "::1", 8069, "/x")},
      {"https://[2001:DB8:0:0::1]", Make("https", "2001:db8::1", 443, "/")},
      {"https://xn--pea-tienda-2db.example", Make("https", "xn--pea-tienda-2db.example", 443, "/")},
      {"https://1shop.example", Make("https", "1shop.example", 443, "/")},
      {"https://shop.example:443", Make("https", "shop.example", 443, "/")},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(ParseUrl(text), IsOkAndHolds(expected)) << text;
  }
}

TEST(ParseUrlTest, RefusesWhatIsWrongAndShowsARightOne) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "empty"},
      {"shop.example", "no scheme"},
      {"//shop.example", "no scheme"},
      {"https:/shop.example", "no scheme"},
      {"ftp://shop.example", "neither http nor https"},
      {"file:///etc/passwd", "neither http nor https"},
      {"https://", "no host"},
      {"https:///path", "no host"},
      {"https://:443", "no host"},
      {"https://?x", "no host"},
      {"https://user:password@shop.example", "user name or password"},
      {"https://user@shop.example", "user name or password"},
      {"https://shop.example#part", "fragment"},
      {"https://shop.example/a b", "space"},
      {" https://shop.example", "space"},
      {"https://shop.example\r\nHost: evil", "control character"},
      {"https://shop.example/\0"s, "control character"},
      {"https://shop.example/\x7f", "control character"},
      {"https://peña.example", "outside ASCII"},
      {"https://shop.example/ñ", "outside ASCII"},
      {"https://shop.example\\@evil.example", "backslash"},
      {"https://shop.example:", "port"},
      {"https://shop.example:0", "port"},
      {"https://shop.example:65536", "port"},
      {"https://shop.example:-1", "port"},
      {"https://shop.example:+1", "port"},
      {"https://shop.example:80x", "port"},
      {"https://shop.example:80:80", "port"},
      {"https://shop..example", "empty part"},
      {"https://shop.example.", "empty part"},
      {"https://.example", "empty part"},
      {"https://-shop.example", "hyphen"},
      {"https://shop-.example", "hyphen"},
      {"https://shop%2eexample", "no name has"},
      {"https://shop*.example", "no name has"},
      {"https://[::1", "bracket"},
      {"https://[]", "IPv6"},
      {"https://[1.2.3.4]", "IPv6"},
      {"https://[fe80::1%eth0]", "IPv6"},
      {"https://[::1]x", "IPv6"},
      {"https://::1", "no host"},
      {"http://127.1", "IPv4"},
      {"http://2130706433", "IPv4"},
      {"http://0x7f000001", "IPv4"},
      {"http://0x7f.0.0.0x1", "IPv4"},
      {"http://256.0.0.1", "IPv4"},
      {"http://010.0.0.01", "IPv4"},
      {"https://" + std::string(64, 'a') + ".example", "63"},
      {"https://" + std::string(2050, 'a'), "2048"},
  };
  for (const auto& [text, what] : cases) {
    EXPECT_THAT(ParseUrl(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)))
        << text;
    EXPECT_THAT(ParseUrl(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                         HasSubstr("https://shop.example.com")));
  }
}

TEST(ParseUrlTest, NeverRepeatsAPassword) {
  EXPECT_THAT(ParseUrl("https://user:hunter22@shop.example"),
              StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("hunter22"))));
}

TEST(UrlTest, OriginLeavesOutTheDefaultPortAndBracketsIpv6) {
  EXPECT_EQ(Make("https", "shop.example", 443, "/").Origin(), "https://shop.example");
  EXPECT_EQ(Make("https", "shop.example", 80, "/").Origin(), "https://shop.example:80");
  EXPECT_EQ(Make("http", "shop.example", 80, "/").Origin(), "http://shop.example");
  EXPECT_EQ(Make("http", "::1", 8069, "/").Origin(), "http://[::1]:8069");
}

TEST(UrlTest, TextReadsBackEqual) {
  for (const std::string text :
       {"https://shop.example/", "http://[::1]:8069/a?b=c", "https://shop.example:8443/?x"}) {
    ASSERT_OK_AND_ASSIGN(const Url url, ParseUrl(text));
    EXPECT_EQ(url.Text(), text);
    EXPECT_THAT(ParseUrl(url.Text()), IsOkAndHolds(url));
  }
}

}  // namespace
}  // namespace poller
