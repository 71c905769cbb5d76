// What the user reads when a call failed, and what the process answers.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <ostream>
#include <string>

#include "google/rpc/error_details.pb.h"

namespace poller::client {

// What the server says about an error, beside its text.
struct ErrorDetails {
  std::string reason;  // of ErrorInfo; empty: the error does not come from our server
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
};
ErrorDetails DetailsOf(const grpc::Status& status);

// The flag that sets a field of a request ("connection.odoo.url" is "--url"); the field itself if
// no flag does.
std::string FlagOf(const std::string& field);

// `connected`: the channel reached a server at some time. Without it a failed call means that there
// is none.
int ExitCodeOf(const grpc::Status& status, bool connected);

// Message, one line for each wrong field, and what to do about it.
void ReportError(std::ostream& err, const grpc::Status& status, const std::string& server,
                 bool connected);

}  // namespace poller::client
