#include "server/rpc/page_token.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "core/base/status.h"
#include "core/crypto/encoding.h"
#include "server/rpc/message_digest.h"

namespace poller::rpc {
namespace {

namespace pb = google::protobuf;

constexpr char kVersion = 1;
constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kDigestBytes = 16;
constexpr std::size_t kFixedBytes = 1 + kIdBytes + kDigestBytes;  // the key follows

struct Place {
  std::int64_t id = 0;
  std::string key;
};

const pb::FieldDescriptor& Field(const pb::Message& request, const char* name) {
  return *request.GetDescriptor()->FindFieldByName(name);
}

std::string QueryDigest(const pb::Message& request) {
  const std::unique_ptr<pb::Message> query(request.New());
  query->CopyFrom(request);
  // What says how to page or names the call is not the query's. Not every request has all of them.
  for (const char* name : {"page_size", "page_token", "request_id"}) {
    const pb::FieldDescriptor* const field = request.GetDescriptor()->FindFieldByName(name);
    if (field != nullptr) query->GetReflection()->ClearField(query.get(), field);
  }
  return MessageDigest(*query, kDigestBytes);
}

// Nothing: it is not one that we made for this query.
std::optional<Place> Open(const pb::Message& request, const std::string& token) {
  const auto bytes = Base64UrlDecode(token);
  if (!bytes || bytes->size() < kFixedBytes || bytes->front() != kVersion) return std::nullopt;
  if (bytes->substr(1 + kIdBytes, kDigestBytes) != QueryDigest(request)) return std::nullopt;
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < kIdBytes; ++i)
    id = id << 8 | static_cast<unsigned char>((*bytes)[1 + i]);
  return Place{static_cast<std::int64_t>(id), bytes->substr(kFixedBytes)};
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
  auto after = Open(request, token);
  if (!after) {
    const char* const what =
        "is not a token of this query: give back next_page_token with the other fields unchanged";
    return WithReason(InvalidFields({{"page_token", what}}), "PAGE_TOKEN_INVALID");
  }
  page.after = after->id;
  page.key = std::move(after->key);
  return page;
}

std::string PageToken(const pb::Message& request, std::int64_t last, std::string_view key) {
  std::string bytes(1, kVersion);
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(last) >> shift & 0xFF));
  return Base64UrlEncode(bytes + QueryDigest(request) + std::string(key));
}

}  // namespace poller::rpc
