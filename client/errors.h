// What the user reads when a call failed, and what the process answers.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "google/rpc/error_details.pb.h"

namespace poller::client {

// What the server says about an error, beside its text.
struct ErrorDetails {
  std::string reason;  // of ErrorInfo; empty: the error does not come from our server
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
};
ErrorDetails DetailsOf(const grpc::Status& status);

// What of a command line sets a field of a request ("connection.odoo.url" is "--url", "job_id" is
// "N"); the field itself if nothing does.
std::string FlagOf(const std::string& field);
// The same for a setting of a connection: "odoo.url", "name".
std::string SettingFlag(std::string_view field);

// `connected`: the channel reached a server at some time. Without it a failed call means that there
// is none.
int ExitCodeOf(const grpc::Status& status, bool connected);

// Message, one line for each wrong field, and what to do about it.
void ReportError(std::ostream& err, const grpc::Status& status, const std::string& server,
                 bool connected);

}  // namespace poller::client
