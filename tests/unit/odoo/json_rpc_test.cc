#include "core/odoo/json_rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>

#include "core/odoo/error_kind.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/odoo/scripted_http.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

class JsonRpcTest : public testing::Test {
 protected:
  // The answer to a first call, with id 1.
  absl::StatusOr<json::value> Decode(HttpResponse response) {
    codec_.EncodeVersion();
    return codec_.Decode(response);
  }
  std::optional<ErrorKind> KindOf(const std::string& body, int status = 200,
                                  const std::string& type = "application/json") {
    JsonRpcCodec codec("http://x", "db", "u", Secret("key-key"));
    codec.EncodeVersion();
    const auto result = codec.Decode(MakeResponse(status, type, body));
    return ErrorKindOf(result.status());
  }

  JsonRpcCodec codec_{"https://shop.example/odoo/", "shop1", "poller", Secret("key-key")};
};

TEST_F(JsonRpcTest, CallsAMethodByItsArgumentsNames) {
  Call call("sale.order", "read");
  call.ids = {3, 4};
  call.arguments["fields"] = json::array{"name"};
  const HttpRequest request = codec_.EncodeCall(call, 7);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://shop.example/odoo/jsonrpc");
  EXPECT_EQ(json::serialize(json::parse(request.body).at("params")),
            R"({"service":"object","method":"execute_kw","args":["shop1",7,"key-key","sale.order",)"
            R"("read",[[3,4]],{"fields":["name"]}]})");
}

TEST_F(JsonRpcTest, LogsInWithFourArguments) {
  const HttpRequest request = codec_.EncodeLogin();
  EXPECT_EQ(json::serialize(json::parse(request.body).at("params").at("args")),
            R"(["shop1","poller","key-key",{}])");
}

TEST_F(JsonRpcTest, NamesTheDatabaseInAHeaderOfEveryCall) {
  for (const HttpRequest& request :
       {codec_.EncodeVersion(), codec_.EncodeLogin(), codec_.EncodeCall(Call("m", "f"), 1)}) {
    bool found = false;
    for (const HttpHeader& header : request.headers) {
      found = found || (header.name == "X-Odoo-Database" && header.value == "shop1");
    }
    EXPECT_TRUE(found) << request.body;
  }
}

TEST_F(JsonRpcTest, AMethodThatReturnsNothingGivesNull) {
  const auto result = Decode(MakeResponse(200, "application/json", R"({"jsonrpc":"2.0","id":1})"));
  ASSERT_OK(result);
  EXPECT_TRUE(result->is_null());
}

TEST_F(JsonRpcTest, MalformedAnswersAreGarbage) {
  const std::string deep = R"({"jsonrpc":"2.0","id":1,"result":)" + std::string(1000, '[') +
                           std::string(1000, ']') + "}";
  for (const std::string& body :
       {std::string(), std::string(R"({"jsonrpc":"2.0","id":1,"resu)"), std::string("[]"),
        std::string("null"), std::string("3"), std::string("<html></html>"),
        std::string(R"({"jsonrpc":"2.0","id":2,"result":1})"),
        std::string(R"({"jsonrpc":"2.0","id":"1","result":1})"),
        std::string(R"({"jsonrpc":"2.0","id":null,"result":1})"),
        std::string(R"({"jsonrpc":"2.0","result":1})"), std::string(R"({"id":1,"result":1})"),
        std::string(R"({"jsonrpc":2.0,"id":1,"result":1})"),
        std::string(R"({"jsonrpc":"2.0","id":1,"error":"no"})"),
        std::string(R"({"jsonrpc":"2.0","id":1,"error":{"data":[]}})"),
        std::string(R"({"jsonrpc":"2.0","id":1,"error":{"data":{"name":5}}})"),
        std::string(R"({"jsonrpc":"2.0","id":1,"id":1,"result":1})"), deep}) {
    EXPECT_EQ(KindOf(body), ErrorKind::kGarbage) << body;
  }
  EXPECT_EQ(KindOf("<html></html>", 200, "text/html"), ErrorKind::kGarbage);
  EXPECT_EQ(KindOf(R"({"jsonrpc":"2.0","id":1,"result":1})", 200, ""), ErrorKind::kGarbage);
}

TEST_F(JsonRpcTest, AnErrorWinsOverAResult) {
  EXPECT_EQ(KindOf(R"({"jsonrpc":"2.0","id":1,"result":1,"error":{"code":0,"data":)"
                   R"({"name":"odoo.exceptions.AccessDenied","message":"Access Denied"}}})"),
            ErrorKind::kCredentials);
}

TEST_F(JsonRpcTest, AnHttpErrorWithAnErrorObjectGoesByItsName) {
  EXPECT_EQ(
      KindOf(R"({"name":"werkzeug.exceptions.Unauthorized","message":"Invalid apikey"})", 401),
      ErrorKind::kCredentials);
  EXPECT_EQ(KindOf("{", 500), ErrorKind::kServerDown);
  EXPECT_EQ(KindOf("[]", 502), ErrorKind::kServerDown);
}

TEST_F(JsonRpcTest, TellsHowLongAServerWantsToRest) {
  HttpResponse response = MakeResponse(429, "text/html", "<html></html>");
  response.headers.push_back({"Retry-After", "120"});
  EXPECT_EQ(RetryAfterOf(Decode(response).status()), absl::Seconds(120));

  response.headers.back().value = "Tue, 24 Nov 2026 14:31:00 GMT";
  EXPECT_EQ(RetryAfterOf(Decode(response).status()), std::nullopt);  // against which clock?
  response.headers.push_back({"Date", "Tue, 24 Nov 2026 14:30:00 GMT"});
  EXPECT_EQ(RetryAfterOf(Decode(response).status()), absl::Minutes(1));

  response.headers[1].value = "soon";
  EXPECT_EQ(RetryAfterOf(Decode(response).status()), std::nullopt);
  response.status = 503;
  EXPECT_EQ(ErrorKindOf(Decode(response).status()), ErrorKind::kRateLimited);
}

TEST_F(JsonRpcTest, SaysWhereARedirectLeads) {
  HttpResponse response = MakeResponse(301, "text/html", "<html></html>");
  response.headers.push_back({"Location", "https://www.shop.example/"});
  const absl::Status status = Decode(response).status();
  EXPECT_EQ(ErrorKindOf(status), ErrorKind::kProtocolGone);
  EXPECT_THAT(std::string(Message(status)), HasSubstr("https://www.shop.example/"));
}

TEST_F(JsonRpcTest, ShowsAShortTextButNoPage) {
  EXPECT_THAT(
      std::string(Message(Decode(MakeResponse(400, "text/html", "Invalid JSON data")).status())),
      HasSubstr("Invalid JSON data"));
  EXPECT_THAT(
      std::string(Message(Decode(MakeResponse(502, "text/html", "<h1>nginx</h1>")).status())),
      testing::Not(HasSubstr("nginx")));
}

}  // namespace
}  // namespace poller::odoo
