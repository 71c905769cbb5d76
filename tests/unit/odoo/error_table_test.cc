#include "core/odoo/error_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/odoo/codec.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/odoo/recorded_odoo.h"

namespace poller::odoo {

void PrintTo(ErrorKind kind, std::ostream* out) { *out << ErrorKindName(kind); }

namespace {

namespace json = boost::json;

// Whether the recorded call names records by id: JSON-2's `ids`, or a list of numbers as first
// argument of execute_kw.
bool NamesRecords(const Recording& recording) {
  const json::object* body = recording.request_body.if_object();
  if (body == nullptr) return false;
  if (body->contains("ids")) return true;
  const json::value* params = body->if_contains("params");
  const json::value* args = params == nullptr ? nullptr : params->as_object().if_contains("args");
  if (args == nullptr || args->as_array().size() < 6) return false;
  const json::array& positional = args->at(5).as_array();
  return !positional.empty() && positional[0].is_array() && !positional[0].as_array().empty() &&
         positional[0].as_array()[0].is_int64();
}

// The recorded answer as the client takes it.
absl::StatusOr<json::value> Decode(const Recording& recording) {
  std::unique_ptr<Codec> codec = MakeCodec(recording);
  Call call("sale.order", "read");
  call.names_records = NamesRecords(recording);
  codec->EncodeCall(call, 2);
  return codec->Decode(AnswerTo(recording, 1));
}

bool IsError(const Recording& recording) {
  const json::object* body = recording.body.if_object();
  return recording.status != 200 || (body != nullptr && body->contains("error"));
}

using Expected = std::map<std::string, ErrorKind>;  // by the name of the file without the folder

const Expected& JsonRpc() {
  static const Expected& rows = *new Expected{
      {"07-authenticate-wrong-db.json", ErrorKind::kDatabaseMissing},
      {"08-authenticate-3args.json", ErrorKind::kQuery},
      {"10-execute-bad-key.json", ErrorKind::kCredentials},
      {"11-execute-bad-uid.json", ErrorKind::kCredentials},
      {"12-execute-uid-false.json", ErrorKind::kCredentials},
      {"13-execute-wrong-db.json", ErrorKind::kDatabaseMissing},
      {"14-execute-empty-db.json", ErrorKind::kDatabaseMissing},
      {"15-bad-model.json", ErrorKind::kQuery},
      {"16-bad-method.json", ErrorKind::kQuery},
      {"17-private-method.json", ErrorKind::kQuery},
      {"173-write-after-unlink.json", ErrorKind::kRecord},
      {"174-call-method-after-unlink.json", ErrorKind::kRecord},
      {"175-exists-private.json", ErrorKind::kQuery},
      {"18-bad-kwarg.json", ErrorKind::kQuery},
      {"182-fields-empty-list.json", ErrorKind::kQuery},
      {"184-delivery_status-field-missing.json", ErrorKind::kQuery},
      {"19-bad-field-read.json", ErrorKind::kQuery},
      {"20-bad-field-partner-mobile.json", ErrorKind::kQuery},
      {"22-bad-field-domain.json", ErrorKind::kQuery},
      {"23-bad-operator.json", ErrorKind::kQuery},
      {"24-bad-date.json", ErrorKind::kQuery},
      {"25-bad-order-by.json", ErrorKind::kQuery},
      {"30-noaccess.json", ErrorKind::kRights},
      {"32-key-mismatch-uid.json", ErrorKind::kCredentials},
      // A bare KeyError: nothing tells it from one in a model's own code.
      {"34-bad-service.json", ErrorKind::kServerDown},
      {"35-body-not-json.json", ErrorKind::kQuery},
      {"36-body-empty.json", ErrorKind::kQuery},
      {"37-no-content-type.json", ErrorKind::kQuery},
      {"38-wrong-content-type.json", ErrorKind::kQuery},
      {"40-no-params.json", ErrorKind::kQuery},
      {"41-batch.json", ErrorKind::kQuery},
      {"42-get-jsonrpc.json", ErrorKind::kQuery},
      {"43-http-404.json", ErrorKind::kProtocolGone},
      {"56-product_product-read.json", ErrorKind::kQuery},
      {"72-web_search_read-badfield.json", ErrorKind::kQuery},
      {"73-web_read-badnested.json", ErrorKind::kQuery},
  };
  return rows;
}

const Expected& Json2() {
  static const Expected& rows = *new Expected{
      {"03-search_read-wrong-db-header.json", ErrorKind::kServerDown},  // or PostgreSQL is down
      {"04-bad-key.json", ErrorKind::kCredentials},
      {"05-no-auth.json", ErrorKind::kCredentials},
      {"06-auth-basic.json", ErrorKind::kCredentials},
      {"08-auth-password-as-bearer.json", ErrorKind::kCredentials},
      {"09-bad-model.json", ErrorKind::kQuery},
      {"10-bad-method.json", ErrorKind::kQuery},
      {"100-bad-context-company.json", ErrorKind::kRights},
      {"11-private-method.json", ErrorKind::kQuery},
      {"12-bad-kwarg.json", ErrorKind::kQuery},
      {"13-positional-args.json", ErrorKind::kQuery},
      {"14-missing-required-arg.json", ErrorKind::kQuery},
      {"15-bad-field.json", ErrorKind::kQuery},
      {"16-bad-field-mobile.json", ErrorKind::kQuery},
      {"17-bad-field-domain.json", ErrorKind::kQuery},
      {"18-bad-order-by.json", ErrorKind::kQuery},
      {"24-search_read-with-ids.json", ErrorKind::kQuery},
      {"25-noaccess.json", ErrorKind::kRights},
      {"26-body-not-json.json", ErrorKind::kQuery},
      {"27-body-empty.json", ErrorKind::kQuery},
      {"28-body-array.json", ErrorKind::kQuery},
      {"29-no-content-type.json", ErrorKind::kQuery},
      {"30-text-plain.json", ErrorKind::kQuery},
      {"35-verb-GET.json", ErrorKind::kQuery},
      {"36-path-1seg.json", ErrorKind::kQuery},
      {"37-path-root.json", ErrorKind::kQuery},
      {"38-json1.json", ErrorKind::kProtocolGone},
      {"39-user-error.json", ErrorKind::kRights},
      {"56-product_product-read.json", ErrorKind::kQuery},
      {"72-web_search_read-badfield.json", ErrorKind::kQuery},
      {"73-web_read-badnested.json", ErrorKind::kQuery},
      {"91-missing-error-write.json", ErrorKind::kRecord},
      {"92-user-error-confirm-twice.json", ErrorKind::kRecord},
      {"93-validation-bad-selection.json", ErrorKind::kRecord},
      {"97-bad-domain-type.json", ErrorKind::kQuery},
      {"98-bad-date.json", ErrorKind::kQuery},
      {"99-tz-date.json", ErrorKind::kQuery},
  };
  return rows;
}

class RecordedErrorsTest : public testing::TestWithParam<std::string> {};

TEST_P(RecordedErrorsTest, EachHasItsRow) {
  const Expected& expected = GetParam() == "19-json2" ? Json2() : JsonRpc();
  int seen = 0;
  for (const Recording& recording : LoadRecordings(GetParam())) {
    if (!IsError(recording)) continue;
    ++seen;
    const auto row = expected.find(recording.name.substr(recording.name.find('/') + 1));
    ASSERT_NE(row, expected.end()) << recording.name;
    EXPECT_EQ(ErrorKindOf(Decode(recording).status()), row->second) << recording.name;
  }
  EXPECT_GE(seen, 33);
}

TEST_P(RecordedErrorsTest, EveryOtherAnswerIsAResult) {
  int seen = 0;
  for (const Recording& recording : LoadRecordings(GetParam())) {
    if (IsError(recording)) continue;
    ++seen;
    EXPECT_OK(Decode(recording)) << recording.name;
  }
  EXPECT_GE(seen, 35);
}
INSTANTIATE_TEST_SUITE_P(Versions, RecordedErrorsTest,
                         testing::Values("17", "18", "19", "19-json2"), [](const auto& param_info) {
                           return param_info.param == "19-json2" ? std::string("Json2")
                                                                 : "Odoo" + param_info.param;
                         });

Fault Named(std::string_view name, std::string_view message, bool names_records) {
  Fault fault;
  fault.content_type = "application/json";
  fault.name = name;
  fault.message = message;
  fault.names_records = names_records;
  return fault;
}

Fault Page(int status, std::string_view body = "<html></html>", bool has_retry_after = false) {
  Fault fault;
  fault.http_status = status;
  fault.content_type = "text/html";
  fault.message = body;
  fault.has_retry_after = has_retry_after;
  return fault;
}

TEST(ErrorTableTest, ARuleThatForbidsOneRecordIsTheRecords) {
  const char* message =
      "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\nSorry, Poller (id=7) "
      "doesn't have 'read' access to:\n- Product Variant (product.product)";
  EXPECT_EQ(Classify(Named("odoo.exceptions.AccessError", message, true)), ErrorKind::kRecord);
}

TEST(ErrorTableTest, AnAccessErrorOfASearchIsAboutTheModelInAnyLanguage) {
  EXPECT_EQ(
      Classify(Named("odoo.exceptions.AccessError", "No puede acceder a los registros", false)),
      ErrorKind::kRights);
}

TEST(ErrorTableTest, AMissingUserIsTheCallerOnlyIfItIsTheCaller) {
  EXPECT_EQ(Classify(Named("odoo.exceptions.MissingError",
                           "El registro no existe.\n(Registro: res.users(7,), Usuario: 7)", true)),
            ErrorKind::kCredentials);
  EXPECT_EQ(Classify(Named("odoo.exceptions.MissingError",
                           "Record does not exist.\n(Record: res.users(5,), User: 7)", true)),
            ErrorKind::kRecord);
}

TEST(ErrorTableTest, TellsAMissingDatabaseFromOneThatIsDown) {
  EXPECT_EQ(Classify(Named("psycopg2.OperationalError",
                           "connection to server at \"db\", port 5432 failed: Connection refused",
                           false)),
            ErrorKind::kServerDown);
  EXPECT_EQ(Classify(Named("builtins.KeyError", "res.users", false)), ErrorKind::kDatabaseMissing);
  EXPECT_EQ(Classify(Named("psycopg2.errors.UndefinedColumn", "column sale_order.x does not exist",
                           true)),
            ErrorKind::kServerDown);
}

TEST(ErrorTableTest, WhatAModelsCodeRaisesBlamesTheRecordsIfThereAreAny) {
  EXPECT_EQ(Classify(Named("builtins.ZeroDivisionError", "division by zero", true)),
            ErrorKind::kRecord);
  EXPECT_EQ(Classify(Named("builtins.ZeroDivisionError", "division by zero", false)),
            ErrorKind::kServerDown);
}

TEST(ErrorTableTest, AskingForLessHelpsWhereTimeOrMemoryRanOut) {
  EXPECT_EQ(Classify(Named("psycopg2.errors.QueryCanceled", "statement timeout", true)),
            ErrorKind::kTooMuch);
  EXPECT_EQ(Classify(Named("builtins.MemoryError", "", true)), ErrorKind::kTooMuch);
}

TEST(ErrorTableTest, TheServicesOfAnOdooThatDroppedThemAreGone) {
  EXPECT_EQ(Classify(Named("builtins.KeyError", "object", false)), ErrorKind::kProtocolGone);
}

TEST(ErrorTableTest, PagesOfProxiesGoByTheirStatus) {
  EXPECT_EQ(Classify(Page(200)), ErrorKind::kGarbage);
  EXPECT_EQ(Classify(Page(301)), ErrorKind::kProtocolGone);
  EXPECT_EQ(Classify(Page(401)), ErrorKind::kGarbage);
  EXPECT_EQ(Classify(Page(403)), ErrorKind::kGarbage);
  EXPECT_EQ(Classify(Page(404)), ErrorKind::kProtocolGone);
  EXPECT_EQ(Classify(Page(404, "<p>No database is selected</p>")), ErrorKind::kServerDown);
  EXPECT_EQ(Classify(Page(413)), ErrorKind::kTooMuch);
  EXPECT_EQ(Classify(Page(429)), ErrorKind::kRateLimited);
  EXPECT_EQ(Classify(Page(500)), ErrorKind::kServerDown);
  EXPECT_EQ(Classify(Page(502)), ErrorKind::kServerDown);
  EXPECT_EQ(Classify(Page(503)), ErrorKind::kServerDown);
  EXPECT_EQ(Classify(Page(503, "", true)), ErrorKind::kRateLimited);
  EXPECT_EQ(Classify(Page(504)), ErrorKind::kServerDown);
  EXPECT_EQ(Classify(Page(999)), ErrorKind::kGarbage);
}

TEST(ErrorTableTest, APageThatSaysNotFoundToJson2MayPass) {
  Fault fault = Page(404);
  fault.protocol = OdooProtocol::kJson2;
  EXPECT_EQ(Classify(fault), ErrorKind::kServerDown);
  fault.http_status = 405;
  EXPECT_EQ(Classify(fault), ErrorKind::kProtocolGone);
}

TEST(ErrorKindTest, TravelsInAStatusWithItsWait) {
  const absl::Status status = MakeError(ErrorKind::kRateLimited, "slow down", absl::Hours(5));
  EXPECT_EQ(ErrorKindOf(status), ErrorKind::kRateLimited);
  EXPECT_EQ(RetryAfterOf(status), absl::Hours(1));
  EXPECT_EQ(RetryAfterOf(MakeError(ErrorKind::kRateLimited, "", absl::Seconds(-3))),
            absl::ZeroDuration());
  EXPECT_EQ(RetryAfterOf(MakeError(ErrorKind::kServerDown, "", absl::Seconds(3))), std::nullopt);
  EXPECT_EQ(ErrorKindOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(ErrorKindOf(absl::UnavailableError("x")), std::nullopt);
}

}  // namespace
}  // namespace poller::odoo
