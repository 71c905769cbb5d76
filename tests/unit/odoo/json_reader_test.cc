#include "core/odoo/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/support/status_matchers.h"

namespace poller::odoo {
namespace {

double NumberOf(const std::string& text) {
  const auto value = ParseJson("[" + text + "]");
  EXPECT_OK(value);
  return value.ok() ? value->at(0).to_number<double>() : 0;
}

std::string StringOf(const std::string& json_text) {
  const auto value = ParseJson("[\"" + json_text + "\"]");
  EXPECT_OK(value);
  return value.ok() ? std::string(value->at(0).as_string().c_str()) : "";
}

TEST(ParseJsonTest, ReadsANumberAsTheNearestDouble) {
  EXPECT_EQ(NumberOf("19.900000000000002"), 19.900000000000002);
  EXPECT_EQ(NumberOf("4.280000000000001"), 4.280000000000001);
  EXPECT_EQ(NumberOf("-0.1"), -0.1);
  EXPECT_EQ(NumberOf("1.7976931348623157e308"), 1.7976931348623157e308);
  EXPECT_EQ(NumberOf("5e-324"), 5e-324);
  EXPECT_EQ(NumberOf("7"), 7);
}

TEST(ParseJsonTest, LeavesInfinitiesToTheReader) {
  EXPECT_TRUE(std::isinf(NumberOf("1e400")));
  EXPECT_TRUE(std::isinf(NumberOf("NaN")));
  EXPECT_TRUE(std::isinf(NumberOf("-Infinity")));
  EXPECT_EQ(StringOf("NaN and Infinity"), "NaN and Infinity");
}

TEST(ParseJsonTest, ReplacesWhatNoTextCanHold) {
  EXPECT_EQ(StringOf("a\\ud800b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(StringOf("a\\udc00"), "a\xEF\xBF\xBD");
  EXPECT_EQ(StringOf("\\ud800\\ud83d\\ude00"), "\xEF\xBF\xBD\xF0\x9F\x98\x80");
  EXPECT_EQ(StringOf("a\xFF"
                     "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(StringOf("\\\\ud800 \\ud800"), "\\ud800 \xEF\xBF\xBD");
}

TEST(ParseJsonTest, KeepsPairsOfSurrogates) {
  EXPECT_EQ(StringOf("\\ud83d\\ude00"), "\xF0\x9F\x98\x80");
}

TEST(ParseJsonTest, RefusesAMemberThatIsNamedTwice) {
  EXPECT_THAT(ParseJson(R"({"a":{"id":1,"id":2}})"),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("twice")));
  EXPECT_OK(ParseJson(R"([{"id":1},{"id":2}])"));
}

TEST(ParseJsonTest, RefusesWhatIsNoJson) {
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{\"a\":"), std::string("[1,]"),
        std::string("[1] x"), std::string("\"\\ud800"), std::string("<html>"), std::string("[\"\\"),
        std::string("[1e99999999999]"), std::string("[Na]"), deep, std::string("[\"\x01\"]")}) {
    EXPECT_THAT(ParseJson(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(ParseJsonTest, RepeatsNothingOfTheText) {
  EXPECT_THAT(ParseJson("secret-key"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                testing::Not(testing::HasSubstr("secret"))));
}

}  // namespace
}  // namespace poller::odoo
