// The composition root: makes every part, in start order, and stops them in drain order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/log.h"
#include "server/options.h"

namespace poller {

// "0.1.0".
std::string_view ProgramVersion();

class App {
 public:
  // Opens the database (and makes it, with key and token, at the first start), begins to poll and
  // to deliver, and serves. Errors say what to do. `log` outlives the app. `heartbeat`: the longest
  // silence of an event stream.
  static absl::StatusOr<std::unique_ptr<App>> Start(const Options& options, Logger& log,
                                                    absl::Duration heartbeat = absl::Seconds(10));
  // Stops at once if Stop was not called.
  ~App();

  // Where it serves, as bound: one a listener.
  const std::vector<std::string>& addresses() const;

  // Health says NOT_SERVING, calls are refused and streams end; no new polls and deliveries;
  // requests in flight are waited for, up to the grace of the options or until `abandon` (asked
  // often) says true; then they are cut, and everything is closed. False: something did not end,
  // and only the end of the process frees it; everything committed is safe.
  bool Stop(const std::function<bool()>& abandon);

 private:
  struct Parts;
  explicit App(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace poller
