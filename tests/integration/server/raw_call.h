// Calls by name, as somebody without our stubs makes them.
#pragma once

#include <google/protobuf/descriptor.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace poller {

struct RawAnswer {
  grpc::Status status;
  std::string body;  // the first message, serialised; empty if there was none
};

// Calls `method` with a serialised request, and reads one message. A stream is cancelled then.
// `context` was not used before.
RawAnswer CallByName(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context,
                     const google::protobuf::MethodDescriptor& method, const std::string& request);

}  // namespace poller
