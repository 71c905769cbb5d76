#include "server/rpc/message_digest.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "core/base/secret.h"
#include "core/crypto/hash.h"

namespace poller::rpc {

namespace pb = google::protobuf;

std::string MessageDigest(const pb::Message& message, std::size_t bytes) {
  std::string content;
  {
    pb::io::StringOutputStream stream(&content);
    pb::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&out);
  }
  std::string digest = Blake2bParts({message.GetDescriptor()->full_name(), content}, bytes);
  WipeString(content);
  return digest;
}

}  // namespace poller::rpc
