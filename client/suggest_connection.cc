#include "client/suggest_connection.h"

#include <fmt/format.h>

#include <vector>

#include "client/output/text.h"
#include "client/suggest.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"

namespace poller::client {
namespace {

constexpr int kMost = 500;  // connections that are looked through
constexpr absl::Duration kPatience = absl::Seconds(2);

}  // namespace

void SuggestConnection(Session& session, const std::string& typed) {
  using Service = api::ConnectionService;
  api::ListConnectionsRequest request;
  request.set_page_size(kMost);
  api::ListConnectionsResponse response;
  const auto stub = session.Stub<Service>();
  session.Call(*stub, &Service::Stub::ListConnections, request, response, kPatience);
  std::vector<std::string> names;
  for (const api::Connection& connection : response.connections())
    names.push_back(Printable(connection.name()));
  const std::string meant = DidYouMean(Nearest(typed, names));
  if (!meant.empty()) session.Note("  " + meant);
}

}  // namespace poller::client
