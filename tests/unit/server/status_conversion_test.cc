#include "server/rpc/status_conversion.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "odoopoller/v1/error_reason.pb.h"

namespace poller::rpc {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

template <class Detail>
std::optional<Detail> DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  for (const auto& any : details.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

TEST(StatusConversionTest, KeepsOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

TEST(StatusConversionTest, CarriesReasonDomainAndMetadata) {
  absl::Status status = WithReason(absl::NotFoundError("no connection 7"), "CONNECTION_NOT_FOUND");
  status = WithMetadata(std::move(status), "connection", "7");
  status = WithMetadata(std::move(status), "more", "x");
  const grpc::Status result = ToGrpc(status);
  EXPECT_EQ(result.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(result.error_message(), "no connection 7");
  const auto info = DetailOf<google::rpc::ErrorInfo>(result);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason(), "CONNECTION_NOT_FOUND");
  EXPECT_EQ(info->domain(), "odoopoller");
  EXPECT_THAT(info->metadata(), UnorderedElementsAre(Pair("connection", "7"), Pair("more", "x")));
}

TEST(StatusConversionTest, ListsEveryWrongField) {
  const absl::Status status =
      PrefixFields(InvalidFields({{"name", "is empty"}, {"odoo.url", "is no URL"}}), "connection.");
  const grpc::Status result = ToGrpc(status);
  EXPECT_EQ(result.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(result)->reason(), "INVALID_FIELDS");
  const auto bad = DetailOf<google::rpc::BadRequest>(result);
  ASSERT_TRUE(bad.has_value());
  ASSERT_EQ(bad->field_violations_size(), 2);
  EXPECT_EQ(bad->field_violations(0).field(), "connection.name");
  EXPECT_EQ(bad->field_violations(1).field(), "connection.odoo.url");
  EXPECT_EQ(bad->field_violations(1).description(), "is no URL");
}

TEST(StatusConversionTest, TellsNothingOfItsOwnFaults) {
  for (const auto code :
       {absl::StatusCode::kInternal, absl::StatusCode::kDataLoss, absl::StatusCode::kUnknown}) {
    const grpc::Status result = ToGrpc(MakeStatus(code, "row 7 of table secret"));
    EXPECT_THAT(result.error_message(), Not(HasSubstr("secret")));
    EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(result)->reason(), "INTERNAL");
  }
}

TEST(StatusConversionTest, MakesForeignTextSafeAndShort) {
  const grpc::Status result = ToGrpc(absl::UnavailableError("a\r\nb" + std::string(100'000, 'x')));
  EXPECT_LE(result.error_message().size(), 1024u);
  EXPECT_THAT(result.error_message(), Not(HasSubstr("\n")));
}

// Reasons are a promise: those that we give by default are in the API's list.
TEST(StatusConversionTest, DefaultReasonsAreDocumented) {
  for (const auto code : {absl::StatusCode::kInvalidArgument, absl::StatusCode::kUnavailable,
                          absl::StatusCode::kInternal}) {
    const auto info = DetailOf<google::rpc::ErrorInfo>(ToGrpc(MakeStatus(code, "x")));
    odoopoller::v1::ErrorReason reason;
    EXPECT_TRUE(odoopoller::v1::ErrorReason_Parse("ERROR_REASON_" + info->reason(), &reason))
        << info->reason();
  }
}

}  // namespace
}  // namespace poller::rpc
