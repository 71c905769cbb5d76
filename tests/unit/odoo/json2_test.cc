#include "core/odoo/json2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>

#include "core/odoo/error_kind.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/odoo/recorded_odoo.h"
#include "tests/unit/odoo/scripted_http.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

std::string HeaderOf(const HttpRequest& request, const std::string& name) {
  for (const HttpHeader& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

class Json2Test : public testing::Test {
 protected:
  absl::StatusOr<json::value> Decode(const HttpResponse& response) {
    codec_.EncodeCall(Call("sale.order", "search_read"), 2);
    return codec_.Decode(response);
  }
  std::optional<ErrorKind> KindOf(const std::string& body, int status = 200,
                                  const std::string& type = "application/json") {
    return ErrorKindOf(Decode(MakeResponse(status, type, body)).status());
  }

  Json2Codec codec_{"https://shop.example/odoo/", "shop1", Secret("key-key")};
};

TEST_F(Json2Test, CallsAMethodByItsArgumentsNames) {
  Call call("sale.order", "read");
  call.ids = {3, 4};
  call.arguments["fields"] = json::array{"name"};
  const HttpRequest request = codec_.EncodeCall(call, 7);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://shop.example/odoo/json/2/sale.order/read");
  EXPECT_EQ(HeaderOf(request, "Authorization"), "bearer key-key");
  EXPECT_EQ(HeaderOf(request, "X-Odoo-Database"), "shop1");
  EXPECT_EQ(HeaderOf(request, "Content-Type"), "application/json");
  EXPECT_EQ(json::parse(request.body), json::parse(R"({"fields":["name"],"ids":[3,4]})"));
}

// A method of the model takes no ids: even an empty list is refused (19-json2/24).
TEST_F(Json2Test, NamesNoIdsWhereThereAreNone) {
  EXPECT_EQ(codec_.EncodeCall(Call("sale.order", "search_count"), 7).body, "{}");
}

TEST_F(Json2Test, WritesTheRecordedRequests) {
  for (const char* name : {"51-sale_order-search_read.json", "55-sale_order_line-read.json",
                           "70-web_read-nested.json", "100-bad-context-company.json"}) {
    const Recording recording = LoadRecording(std::string("19-json2/") + name);
    Call call("sale.order", "search_read");
    call.arguments = recording.request_body.as_object();
    if (const json::value* ids = call.arguments.if_contains("ids")) {
      for (const json::value& id : ids->as_array()) call.ids.push_back(id.as_int64());
      call.arguments.erase("ids");
    }
    EXPECT_EQ(json::parse(codec_.EncodeCall(call, 2).body), recording.request_body) << name;
  }
}

TEST_F(Json2Test, ShowsTheKeyToModelsAlone) {
  const HttpRequest version = codec_.EncodeVersion();
  EXPECT_EQ(version.method, "GET");
  EXPECT_EQ(version.url, "https://shop.example/odoo/web/version");
  EXPECT_EQ(HeaderOf(version, "Authorization"), "");
  EXPECT_THAT(version.body, Not(HasSubstr("key-key")));
}

TEST_F(Json2Test, LearnsWhoseTheKeyIs) {
  EXPECT_EQ(codec_.EncodeLogin().url, "https://shop.example/odoo/json/2/res.users/context_get");
  const Recording recording = LoadRecording("19-json2/103-res.users-context_get-poller.json");
  EXPECT_THAT(codec_.Decode(AnswerTo(recording, 0)), IsOkAndHolds(json::value(7)));
}

TEST_F(Json2Test, AnAnswerThatNamesNoUserIsNoLogin) {
  codec_.EncodeLogin();
  const auto answer = codec_.Decode(MakeResponse(200, "application/json", "[]"));
  ASSERT_OK(answer);
  EXPECT_TRUE(answer->is_null());
}

TEST_F(Json2Test, TheAnswerIsTheBareValue) {
  EXPECT_THAT(Decode(MakeResponse(200, "application/json", "182")), IsOkAndHolds(json::value(182)));
  const auto nothing = Decode(AnswerTo(LoadRecording("19-json2/94-none-return.json"), 0));
  ASSERT_OK(nothing);
  EXPECT_TRUE(nothing->is_null());
}

TEST_F(Json2Test, MalformedAnswersAreGarbage) {
  EXPECT_EQ(KindOf(""), ErrorKind::kGarbage);
  EXPECT_EQ(KindOf(R"([{"id":1})"), ErrorKind::kGarbage);
  EXPECT_EQ(KindOf(R"({"id":1,"id":2})"), ErrorKind::kGarbage);
  EXPECT_EQ(KindOf(std::string(1000, '[') + std::string(1000, ']')), ErrorKind::kGarbage);
  EXPECT_EQ(KindOf("<html></html>", 200, "text/html"), ErrorKind::kGarbage);
  EXPECT_EQ(KindOf("[]", 200, ""), ErrorKind::kGarbage);
}

TEST_F(Json2Test, AnErrorGoesByItsNameWhateverItsStatus) {
  const char* denied = R"({"name":"odoo.exceptions.AccessError","message":"No puede acceder"})";
  EXPECT_EQ(KindOf(denied, 403), ErrorKind::kRights);
  EXPECT_EQ(KindOf(denied, 500), ErrorKind::kRights);
  EXPECT_EQ(KindOf("{", 500), ErrorKind::kServerDown);
  EXPECT_EQ(KindOf("[]", 401), ErrorKind::kGarbage);
}

TEST_F(Json2Test, BlamesTheRecordsThatACallNames) {
  Call call("sale.order", "read");
  call.ids = {5};
  codec_.EncodeCall(call, 2);
  const HttpResponse refused =
      MakeResponse(403, "application/json",
                   R"({"name":"odoo.exceptions.AccessError","message":"top-secret records"})");
  EXPECT_EQ(ErrorKindOf(codec_.Decode(refused).status()), ErrorKind::kRecord);
}

TEST_F(Json2Test, APageThatSaysNotFoundNamesWhatCanBeWrong) {
  const absl::Status status = Decode(MakeResponse(404, "text/html", "<h1>404</h1>")).status();
  EXPECT_EQ(ErrorKindOf(status), ErrorKind::kServerDown);
  EXPECT_THAT(std::string(Message(status)), HasSubstr("name of the database"));
}

TEST_F(Json2Test, TellsHowLongAServerWantsToRest) {
  HttpResponse response = MakeResponse(429, "text/html", "<html></html>");
  response.headers.push_back({"Retry-After", "120"});
  EXPECT_EQ(RetryAfterOf(Decode(response).status()), absl::Seconds(120));
}

}  // namespace
}  // namespace poller::odoo
