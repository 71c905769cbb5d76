#include "tests/support/api_methods.h"

#include <google/protobuf/descriptor.pb.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace poller::test {
namespace {

namespace pb = google::protobuf;

// The descriptor set that protoc made of all files, in the order of what they import.
std::vector<const pb::MethodDescriptor*> Load(pb::DescriptorPool& pool) {
  pb::FileDescriptorSet set;
  std::ifstream file(POLLER_API_SET, std::ios::binary);
  if (!set.ParseFromIstream(&file)) {
    std::fprintf(stderr, "%s cannot be read\n", POLLER_API_SET);
    std::abort();
  }
  std::vector<const pb::MethodDescriptor*> methods;
  for (const pb::FileDescriptorProto& proto : set.file()) {
    const pb::FileDescriptor* const built = pool.BuildFile(proto);
    for (int s = 0; s < built->service_count(); ++s) {
      for (int m = 0; m < built->service(s)->method_count(); ++m)
        methods.push_back(built->service(s)->method(m));
    }
  }
  return methods;
}

}  // namespace

const std::vector<const pb::MethodDescriptor*>& ApiMethods() {
  static auto* const pool = new pb::DescriptorPool;
  static const auto* const methods = new std::vector<const pb::MethodDescriptor*>(Load(*pool));
  return *methods;
}

}  // namespace poller::test
