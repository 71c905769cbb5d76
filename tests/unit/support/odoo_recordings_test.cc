// The simulator against the recordings of real Odoo 17, 18 and 19: the same request must give the
// same answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/odoo_sim.h"
#include "tests/unit/support/golden.h"

namespace poller::test {
namespace {

using ::testing::HasSubstr;

namespace json = boost::json;

// Status, type and the whole body, except for pages of HTML, of which the recordings keep the title.
void ExpectTheSameAs(const Recording& recording, OdooSim& sim) {
  SCOPED_TRACE(recording.name);
  const TestReply reply = sim.Handle(recording.request);
  EXPECT_EQ(reply.status, recording.status);
  EXPECT_EQ(reply.headers.Get("Content-Type"), recording.content_type);
  const std::string stand_in =
      recording.body.is_string() ? std::string(recording.body.get_string()) : "";
  if (stand_in.starts_with("<html>")) {
    const std::size_t start = stand_in.find('"') + 1;
    const std::string title = stand_in.substr(start, stand_in.find('"', start) - start);
    EXPECT_THAT(reply.body, HasSubstr("<title>" + title + "</title>"));
    return;
  }
  EXPECT_EQ(BodyOf(reply), recording.body) << json::serialize(BodyOf(reply)) << "\nrecorded:\n"
                                           << json::serialize(recording.body);
}

class OdooRecordingsTest : public ::testing::TestWithParam<int> {
 protected:
  OdooRecordingsTest() : sim_(RecordedOdoo(GetParam())) {}

  TestReply Answer(const std::string& name) {
    return sim_->Handle(LoadRecording(GetParam(), name).request);
  }

  void ExpectTheSame(const std::string& name) {
    SCOPED_TRACE(GetParam());
    ExpectTheSameAs(LoadRecording(GetParam(), name), *sim_);
  }

  std::unique_ptr<OdooSim> sim_;
};

TEST_P(OdooRecordingsTest, LogsIn) {
  for (const char* name : {"01", "02", "03", "04", "05", "06", "07", "08", "09"})
    ExpectTheSame(name);
}

TEST_P(OdooRecordingsTest, RefusesWrongCredentialsAndDatabases) {
  for (const char* name : {"10", "11", "12", "13", "14", "32"}) ExpectTheSame(name);
}

TEST_P(OdooRecordingsTest, RefusesWrongModelsMethodsAndArguments) {
  for (const char* name : {"15", "16", "17-private-method", "18-bad-kwarg"}) ExpectTheSame(name);
}

TEST_P(OdooRecordingsTest, RefusesUnknownFieldsOperatorsAndOrders) {
  for (const char* name : {"19-bad-field-read", "22", "23", "25", "56", "72", "73", "182", "184"}) {
    ExpectTheSame(name);
  }
}

TEST_P(OdooRecordingsTest, TreatsABadDateAsItsVersionDoes) {
  if (GetParam() >= 19) return ExpectTheSame("24");
  // PostgreSQL understands "yesterday": an answer with whatever is newer.
  const json::value body = BodyOf(Answer("24"));
  EXPECT_TRUE(body.as_object().contains("result")) << json::serialize(body);
}

TEST_P(OdooRecordingsTest, KnowsThePartnersMobileUpTo18) {
  if (GetParam() >= 19) return ExpectTheSame("20");
  EXPECT_TRUE(BodyOf(Answer("20")).at("result").as_array().at(0).as_object().contains("mobile"));
}

TEST_P(OdooRecordingsTest, LeavesMissingRecordsOut) {
  for (const char* name : {"26", "27", "29", "71", "171", "172", "175"}) ExpectTheSame(name);
}

TEST_P(OdooRecordingsTest, RefusesToWriteToMissingRecords) {
  for (const char* name : {"173", "174"}) ExpectTheSame(name);
}

TEST_P(OdooRecordingsTest, KeepsUsersWithoutRightsOut) {
  for (const char* name : {"30", "31"}) ExpectTheSame(name);
}

TEST_P(OdooRecordingsTest, DescribesFields) { ExpectTheSame("33"); }

TEST_P(OdooRecordingsTest, RefusesWhatIsNoJsonRpcRequest) {
  for (const char* name : {"34", "35", "36", "37", "38", "39", "40", "41", "42", "43", "44"}) {
    ExpectTheSame(name);
  }
}

TEST_P(OdooRecordingsTest, ReadsOrdersLinesProductsPartnersAndCurrencies) {
  for (const char* name :
       {"51", "52", "53", "54", "55", "57", "58", "59", "60", "61", "62", "63", "64"}) {
    ExpectTheSame(name);
  }
}

TEST_P(OdooRecordingsTest, SearchesAndCounts) {
  for (const char* name : {"66", "67"}) ExpectTheSame(name);
}

TEST_P(OdooRecordingsTest, ReadsNested) {
  for (const char* name : {"69", "70", "74"}) ExpectTheSame(name);
}

TEST_P(OdooRecordingsTest, HidesArchivedProductsFromSearchesAlone) {
  const json::object row = LoadRecording(GetParam(), "178").body.at("result").at(0).as_object();
  ASSERT_TRUE(sim_->db(RecordedDatabase(GetParam())).ArchiveProduct(row.at("id").as_int64()).ok());
  for (const char* name : {"176", "177", "178"}) ExpectTheSame(name);
}

INSTANTIATE_TEST_SUITE_P(Versions, OdooRecordingsTest, ::testing::Values(17, 18, 19));

class Json2RecordingsTest : public ::testing::Test {
 protected:
  void ExpectTheSame(const std::vector<std::string>& names) {
    for (const std::string& name : names) ExpectTheSameAs(LoadRecording("19-json2", name), *sim_);
  }
  std::unique_ptr<OdooSim> sim_ = RecordedOdoo(19);
};

TEST_F(Json2RecordingsTest, TakesKeysOfUsersAlone) {
  ExpectTheSame({"04", "05", "06", "07", "08", "25"});
}

TEST_F(Json2RecordingsTest, FindsItsDatabase) { ExpectTheSame({"02", "03"}); }

TEST_F(Json2RecordingsTest, RefusesWrongModelsMethodsAndArguments) {
  ExpectTheSame({"09", "10", "11", "14", "24", "27", "28", "29", "30", "35", "36", "37"});
}

TEST_F(Json2RecordingsTest, RefusesUnknownFieldsOrdersCompaniesAndDates) {
  ExpectTheSame({"15", "16", "17", "18", "56", "72", "73", "98", "99", "100"});
}

TEST_F(Json2RecordingsTest, ReadsOrdersLinesProductsPartnersAndCurrencies) {
  ExpectTheSame({"19", "20", "21", "22", "23", "33", "34", "51", "52", "53", "54", "55",
                 "57", "58", "59", "60", "61", "62", "63", "64", "66", "67", "96"});
}

TEST_F(Json2RecordingsTest, ReadsNested) { ExpectTheSame({"69", "70", "71", "74"}); }

TEST_F(Json2RecordingsTest, TellsWhatAUserMay) { ExpectTheSame({"104", "105"}); }

TEST_F(Json2RecordingsTest, RefusesToWriteToMissingRecords) { ExpectTheSame({"91"}); }

TEST_F(Json2RecordingsTest, AMethodThatReturnsNothingGivesNull) { ExpectTheSame({"94", "95"}); }

}  // namespace
}  // namespace poller::test
