// Messages told apart by their content.
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <string>

namespace poller::rpc {

// `bytes` bytes that depend on the type and the fields of `message` alone. A plain hash: a weak
// secret in the message can be guessed from it.
std::string MessageDigest(const google::protobuf::Message& message, std::size_t bytes);

}  // namespace poller::rpc
