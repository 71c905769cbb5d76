#include "server/rpc/token_calls.h"

#include <string>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "server/rpc/call.h"

namespace poller::rpc {
namespace {

absl::Status TooMany(std::string_view what, std::string_view reason, int limit) {
  const std::string text = std::to_string(limit);
  const std::string message = "this token has " + text + " " + std::string(what) +
                              " under way, the most that one token may have: wait until one ends";
  return WithMetadata(WithReason(MakeStatus(absl::StatusCode::kResourceExhausted, message), reason),
                      "limit", text);
}

}  // namespace

void TokenCalls::Clients::Leave(TokenId token, const std::function<void(Client&)>& leave) {
  absl::MutexLock lock(&mu);
  const auto found = all.find(token);
  leave(found->second);
  if (found->second.calls == 0 && found->second.streams.empty()) all.erase(found);
}

absl::StatusOr<TokenCalls::Place> TokenCalls::EnterCall(TokenId token) {
  absl::MutexLock lock(&clients_->mu);
  Client& client = clients_->all[token];
  if (client.calls >= limits_.calls) return TooMany("calls", "TOO_MANY_CALLS", limits_.calls);
  ++client.calls;
  return Place(nullptr, [clients = clients_, token](void*) {
    clients->Leave(token, [](Client& left) { --left.calls; });
  });
}

absl::StatusOr<TokenCalls::Place> TokenCalls::EnterStream(TokenId token,
                                                          std::shared_ptr<CallState> state) {
  absl::MutexLock lock(&clients_->mu);
  Client& client = clients_->all[token];
  if (static_cast<int>(client.streams.size()) >= limits_.streams)
    return TooMany("streams", "TOO_MANY_STREAMS", limits_.streams);
  client.streams.insert(state);
  return Place(nullptr, [clients = clients_, token, state = std::move(state)](void*) {
    clients->Leave(token, [&state](Client& left) { left.streams.erase(state); });
  });
}

void TokenCalls::EndStreams(TokenId token, const absl::Status& status) {
  std::vector<std::shared_ptr<CallState>> streams;
  {
    absl::MutexLock lock(&clients_->mu);
    const auto found = clients_->all.find(token);
    if (found != clients_->all.end())
      streams.assign(found->second.streams.begin(), found->second.streams.end());
  }
  for (const auto& stream : streams) stream->EndWith(status);
}

}  // namespace poller::rpc
