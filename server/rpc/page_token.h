// Where a page of a list ended.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace poller::rpc {

inline constexpr int kDefaultPageSize = 50;
inline constexpr int kMaxPageSize = 1000;

// A page ends early when its messages reach this many bytes, so that it stays below the 4 MiB that
// clients accept by default.
inline constexpr std::size_t kMaxPageBytes = 2 << 20;

struct Page {
  int size = kDefaultPageSize;
  std::int64_t after = 0;  // id of the last item of the page before; 0: the first page
  std::string key;         // what the list is ordered by, of that item; empty where it is the id
};

// Reads `page_size` and `page_token` of `request`. kInvalidArgument names "page_size" if it is
// negative, and "page_token" if it is broken or belongs to a request with other fields (reason
// PAGE_TOKEN_INVALID).
absl::StatusOr<Page> ReadPage(const google::protobuf::Message& request);

// The token for what follows `last`. It holds a digest of the request without its page fields and
// its request id: opaque, and useless for another query.
std::string PageToken(const google::protobuf::Message& request, std::int64_t last,
                      std::string_view key = {});

// Moves `rows`, one more than a page if there are more, to `items` and sets the token of `response`
// if any are left. `convert` gives the id that the page ends with and the message.
template <class Row, class Item, class Response, class Convert>
void FillPage(const google::protobuf::Message& request, const Page& page,
              const std::vector<Row>& rows, google::protobuf::RepeatedPtrField<Item>& items,
              Response& response, Convert convert) {
  std::int64_t last = 0;
  std::size_t bytes = 0;
  for (const Row& row : rows) {
    if (items.size() == page.size || bytes > kMaxPageBytes) {
      response.set_next_page_token(PageToken(request, last));
      return;
    }
    auto [id, item] = convert(row);
    last = id;
    bytes += item.ByteSizeLong();
    *items.Add() = std::move(item);
  }
}

}  // namespace poller::rpc
