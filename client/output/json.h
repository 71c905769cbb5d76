// Messages as JSON: the proto3 mapping with lowerCamelCase names, 64-bit integers as strings and
// defaults printed.
#pragma once

#include <google/protobuf/message.h>

#include <ostream>

namespace poller::client {

// One document over several lines, with a line end.
void PrintJson(std::ostream& out, const google::protobuf::Message& message);
// The same on one line.
void PrintJsonLine(std::ostream& out, const google::protobuf::Message& message);

}  // namespace poller::client
