#include "server/rpc/page_token.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "core/base/status.h"
#include "core/crypto/encoding.h"
#include "core/crypto/hash.h"

namespace poller::rpc {
namespace {

namespace pb = google::protobuf;

constexpr char kVersion = 1;
constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kDigestBytes = 16;

const pb::FieldDescriptor& Field(const pb::Message& request, const char* name) {
  return *request.GetDescriptor()->FindFieldByName(name);
}

std::string QueryDigest(const pb::Message& request) {
  const std::unique_ptr<pb::Message> query(request.New());
  query->CopyFrom(request);
  query->GetReflection()->ClearField(query.get(), &Field(request, "page_size"));
  query->GetReflection()->ClearField(query.get(), &Field(request, "page_token"));
  std::string bytes;
  {
    pb::io::StringOutputStream stream(&bytes);
    pb::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    query->SerializeToCodedStream(&out);
  }
  return Blake2bParts({request.GetDescriptor()->full_name(), bytes}, kDigestBytes);
}

// Nothing: it is not one that we made for this query.
std::optional<std::int64_t> Open(const pb::Message& request, const std::string& token) {
  const auto bytes = Base64UrlDecode(token);
  if (!bytes || bytes->size() != 1 + kIdBytes + kDigestBytes || bytes->front() != kVersion)
    return std::nullopt;
  if (bytes->substr(1 + kIdBytes) != QueryDigest(request)) return std::nullopt;
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < kIdBytes; ++i)
    id = id << 8 | static_cast<unsigned char>((*bytes)[1 + i]);
  return static_cast<std::int64_t>(id);
}

}  // namespace

absl::StatusOr<Page> ReadPage(const pb::Message& request) {
  const pb::Reflection& reflection = *request.GetReflection();
  Page page;
  const int size = reflection.GetInt32(request, &Field(request, "page_size"));
  if (size < 0) return InvalidFields({{"page_size", "must not be negative"}});
  if (size > 0) page.size = std::min(size, kMaxPageSize);
  const std::string token = reflection.GetString(request, &Field(request, "page_token"));
  if (token.empty()) return page;
  const auto after = Open(request, token);
  if (!after) {
    const char* const what =
        "is not a token of this query: give back next_page_token with the other fields unchanged";
    return WithReason(InvalidFields({{"page_token", what}}), "PAGE_TOKEN_INVALID");
  }
  page.after = *after;
  return page;
}

std::string PageToken(const pb::Message& request, std::int64_t last) {
  std::string bytes(1, kVersion);
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(last) >> shift & 0xFF));
  return Base64UrlEncode(bytes + QueryDigest(request));
}

}  // namespace poller::rpc
