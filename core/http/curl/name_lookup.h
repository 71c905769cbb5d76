// Addresses of names, without waiting and on a bounded number of threads. Included by this folder's
// .cc files and its tests alone.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace poller {

// Looks names up with getaddrinfo, which can neither be awaited nor ended: each look-up takes a
// thread for as long as the name server pleases. So that a name server that hangs holds up no other
// name: one look-up a name at a time; threads in reserve for names that were found before; and few
// of them for names that were not found the last time. A thread that hangs is left behind at the
// end.
//
// An answer is kept for ten minutes, as long as a connection is (transfer.cc), but asked for again
// once it is a minute old: a name server that is away for a moment is not noticed. Thread-safe.
class NameLookup {
 public:
  struct Answer {
    bool found = false;
    std::string addresses;   // "192.0.2.1,[2001:db8::1]", as getaddrinfo sorts them
    std::string error;       // not found: why
    bool exhausted = false;  // not found because we have no thread, socket or memory for it
  };
  // `changed` is called from any thread, with a lock held, when answers are ready to be taken.
  NameLookup(int threads, std::function<void()> changed);
  ~NameLookup();  // waits for nobody; `changed` is not called any more

  // The answer that is known, if any. Otherwise it is among those of Take some time later.
  std::unique_ptr<Answer> Ask(const std::string& name, absl::Duration now);
  // What was found, or not, since the last call. `now` is the same monotonic clock.
  std::vector<std::pair<std::string, Answer>> Take(absl::Duration now);

 private:
  enum class Trust { kKnown, kNew, kSuspect };  // in the order in which they are served
  static constexpr int kTrusts = 3;
  struct Entry {
    Answer answer;
    absl::Duration found_at = -absl::InfiniteDuration();
    Trust trust = Trust::kNew;
    bool asked = false;  // it is being looked up
  };
  // Outlives the look-ups that hang.
  struct Shared {
    absl::Mutex mu;
    std::function<void()> changed ABSL_GUARDED_BY(mu);
    bool stop ABSL_GUARDED_BY(mu) = false;
    std::deque<std::string> queues[kTrusts] ABSL_GUARDED_BY(mu);
    int limits[kTrusts] ABSL_GUARDED_BY(mu) = {};  // most threads in use when one of it begins
    int threads ABSL_GUARDED_BY(mu) = 0;
    int busy ABSL_GUARDED_BY(mu) = 0;
    std::vector<std::pair<std::string, Answer>> answers ABSL_GUARDED_BY(mu);
  };
  static void Work(const std::shared_ptr<Shared>& shared);
  static int NextQueue(const Shared& shared);
  static Answer LookUp(const std::string& name);
  void Request(const std::string& name, Trust trust);
  void Forget(absl::Duration now);

  const int threads_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  absl::flat_hash_map<std::string, Entry> entries_;  // of the caller's thread
};

}  // namespace poller
