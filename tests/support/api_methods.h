// Every RPC of the API, as the folder of protos has them: none can be forgotten.
#pragma once

#include <google/protobuf/descriptor.h>

#include <vector>

namespace poller::test {

// By service and place in the file. The descriptors live for ever and belong to a pool of their
// own: compare names, not addresses.
const std::vector<const google::protobuf::MethodDescriptor*>& ApiMethods();

}  // namespace poller::test
