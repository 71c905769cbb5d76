#include "client/commands/test_report.h"

#include <fmt/format.h>

#include "client/convert.h"
#include "client/output/table.h"
#include "client/output/text.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"

namespace poller::client {
namespace {

// A test waits for an Odoo and a receiver, each up to its own limit, step after step.
constexpr absl::Duration kPatience = absl::Minutes(3);

Cell ResultCell(api::TestResult result) {
  switch (result) {
    case api::TEST_RESULT_OK:
      return {"ok", Colour::kGood};
    case api::TEST_RESULT_FAILED:
      return {"FAILED", Colour::kBad};
    case api::TEST_RESULT_SKIPPED:
      return {"skipped", Colour::kDim};
    default:
      return {"unknown", Colour::kDim};
  }
}

}  // namespace

int RunTest(Session& session, const std::string& id) {
  api::TestConnectionRequest request;
  *request.mutable_connection() = ParseConnectionRef(id);
  api::TestConnectionResponse response;
  const auto stub = session.Stub<api::ConnectionService>();
  const grpc::Status status = session.Call(*stub, &api::ConnectionService::Stub::TestConnection,
                                           request, response, kPatience);
  if (!status.ok()) return session.Fail(status);
  const int code = response.healthy() ? kDone : kUnhealthy;
  if (!session.table()) {
    session.PrintMessage(response);
    return code;
  }
  Table table({{"STEP"}, {"RESULT"}, {"TIME", true}, {"DETAIL", false, true}});
  for (const api::TestStep& step : response.steps()) {
    const bool ran = step.result() != api::TEST_RESULT_SKIPPED;
    table.Add({step.name(), ResultCell(step.result()),
               ran ? ShortDuration(ToDuration(step.duration())) : "", step.detail()});
  }
  std::ostream& out = session.io().out;
  table.Print(out, session.look());
  for (const api::TestStep& step : response.steps()) {
    // In full below the table, which may have cut the detail.
    if (step.result() == api::TEST_RESULT_FAILED) {
      // An error of Odoo names the call, which may be called as the step is.
      const bool named = step.detail().starts_with(step.name() + ": ");
      out << fmt::format("\n{}{}\n", named ? "" : Printable(step.name()) + ": ",
                         Printable(step.detail()));
    }
    if (!step.hint().empty())
      out << fmt::format(
          "{}what to do: {}\n",
          step.result() == api::TEST_RESULT_FAILED ? "  " : "\n" + Printable(step.name()) + ": ",
          Printable(step.hint()));
  }
  out << (response.healthy() ? "\nall is well\n" : "\nit does not work yet\n") << std::flush;
  return code;
}

}  // namespace poller::client
