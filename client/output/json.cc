#include "client/output/json.h"

#include <google/protobuf/util/json_util.h>

#include <cstdlib>
#include <string>

namespace poller::client {
namespace {

void Print(std::ostream& out, const google::protobuf::Message& message, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.add_whitespace = pretty;
  std::string text;
  // Fails only for well-known types with values outside their range, which a server has no reason
  // to send.
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) text = "{\"error\":\"the answer cannot be shown as JSON\"}";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  out << text << '\n';
}

}  // namespace

void PrintJson(std::ostream& out, const google::protobuf::Message& message) {
  Print(out, message, true);
}

void PrintJsonLine(std::ostream& out, const google::protobuf::Message& message) {
  Print(out, message, false);
  out.flush();
}

}  // namespace poller::client
