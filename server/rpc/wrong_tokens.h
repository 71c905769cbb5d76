// Who guesses tokens waits for the answer.
#pragma once

#include <list>
#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace poller::rpc {

// Counts wrong tokens by where they come from. Valid tokens have nothing to do with it: who shares
// an address with a guesser is not slowed. Thread-safe.
class WrongTokens {
 public:
  static constexpr int kFree = 5;                                        // a typo costs nothing
  static constexpr absl::Duration kFirstWait = absl::Milliseconds(100);  // doubles with each
  static constexpr absl::Duration kForgotten = absl::Minutes(10);        // after the last one
  static constexpr std::size_t kMaxOrigins = 4096;  // the one that was quiet longest makes room

  // No refusal waits longer than `longest`.
  explicit WrongTokens(absl::Duration longest) : longest_(longest) {}

  // How long the refusal of another wrong token from there is to wait. `now` is monotonic.
  absl::Duration Failed(const std::string& origin, absl::Duration now);

 private:
  struct Entry {
    int failures = 0;
    absl::Duration last;
    std::list<std::string>::iterator place;
  };
  const absl::Duration longest_;
  absl::Mutex mu_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::list<std::string> by_age_ ABSL_GUARDED_BY(mu_);  // the oldest first
};

// What calls of one machine have in common, of the address that gRPC gives: "ipv4:10.0.0.7",
// "ipv6:2001:db8:0:1" (a machine has the rest of the 64 bits), "unix".
std::string OriginOf(std::string_view peer);

}  // namespace poller::rpc
