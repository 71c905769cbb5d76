#include "tests/integration/server/raw_call.h"

#include <grpcpp/generic/generic_stub.h>

#include <cstdint>
#include <vector>

namespace poller {
namespace {

void* Tag(std::intptr_t number) { return reinterpret_cast<void*>(number); }

bool Wait(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

std::string Text(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  for (const grpc::Slice& slice : slices)
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return text;
}

}  // namespace

RawAnswer CallByName(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context,
                     const google::protobuf::MethodDescriptor& method, const std::string& request) {
  const std::string path = "/" + method.service()->full_name() + "/" + method.name();
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, path, &queue);
  call->StartCall(Tag(1));
  Wait(queue);
  const grpc::Slice slice(request);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), Tag(2));
  Wait(queue);
  RawAnswer answer;
  grpc::ByteBuffer message;
  call->Read(&message, Tag(3));
  if (Wait(queue)) {
    answer.body = Text(message);
    if (method.server_streaming()) context.TryCancel();
  }
  call->Finish(&answer.status, Tag(4));
  Wait(queue);
  return answer;
}

}  // namespace poller
