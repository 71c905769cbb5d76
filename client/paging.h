// Lists that come in pages.
#pragma once

#include <grpcpp/support/status.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "client/session.h"

namespace poller::client {

inline constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kPage = 500;

// Appends pages to `all` until the list ends or `count(all)` reaches `limit`; in the latter case
// `next_page_token` stays.
template <class StubType, class Request, class Response, class Count>
grpc::Status ListUpTo(Session& session, StubType& stub,
                      grpc::Status (StubType::*method)(grpc::ClientContext*, const Request&,
                                                       Response*),
                      Request request, Response& all, std::int64_t limit, Count count) {
  do {
    request.set_page_size(static_cast<std::int32_t>(std::min(kPage, limit - count(all))));
    Response page;
    const grpc::Status status = session.Call(stub, method, request, page);
    if (!status.ok()) return status;
    request.set_page_token(page.next_page_token());
    all.clear_next_page_token();
    all.MergeFrom(page);
  } while (!request.page_token().empty() && count(all) < limit);
  return grpc::Status::OK;
}

// Items of a list as the format asks for it: the whole answer, or one item a line. For the formats
// of JSON alone.
template <class Response, class Items>
void PrintList(Session& session, const Response& response, const Items& items) {
  if (session.format() == Format::kJson) return session.PrintMessage(response);
  for (const auto& item : items) session.PrintMessage(item);
}

}  // namespace poller::client
