#include "server/rpc/wrong_tokens.h"

#include <algorithm>

namespace poller::rpc {
namespace {

constexpr int kGroups = 4;  // of 16 bits: the half of an IPv6 address that names a network

// "[2001:db8::1]:5000" or, as gRPC escapes it, "%5B2001:db8::1%5D:5000". An address that is
// shortened within its first half is rarer than worth a parser: it keeps what stands there.
std::string NetworkOf(std::string_view text) {
  for (const std::string_view bracket : {"[", "%5B"}) {
    if (text.starts_with(bracket)) text.remove_prefix(bracket.size());
  }
  text = text.substr(0, std::min(text.find(']'), text.find("%5D")));
  std::size_t end = 0;
  for (int group = 0; group < kGroups && end != std::string_view::npos; ++group)
    end = text.find(':', end == 0 ? 0 : end + 1);
  return std::string(text.substr(0, end));
}

}  // namespace

absl::Duration WrongTokens::Failed(const std::string& origin, absl::Duration now) {
  absl::MutexLock lock(&mu_);
  auto found = entries_.find(origin);
  if (found == entries_.end()) {
    if (entries_.size() >= kMaxOrigins) {
      entries_.erase(by_age_.front());
      by_age_.pop_front();
    }
    found = entries_.emplace(origin, Entry{0, now, by_age_.insert(by_age_.end(), origin)}).first;
  }
  Entry& entry = found->second;
  if (now - entry.last >= kForgotten) entry.failures = 0;
  entry.last = now;
  by_age_.splice(by_age_.end(), by_age_, entry.place);
  if (++entry.failures <= kFree) return absl::ZeroDuration();
  absl::Duration wait = kFirstWait;
  for (int i = kFree + 1; i < entry.failures && wait < longest_; ++i) wait *= 2;
  return std::min(wait, longest_);
}

std::string OriginOf(std::string_view peer) {
  if (peer.starts_with("ipv4:")) return std::string(peer.substr(0, peer.rfind(':')));
  if (peer.starts_with("ipv6:")) return "ipv6:" + NetworkOf(peer.substr(5));
  return std::string(peer.substr(0, peer.find(':')));
}

}  // namespace poller::rpc
