// The real terminal and the real signals.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/io.h"

namespace poller::client {

// Standard input, output and error of the process.
class SystemTerminal : public Terminal {
 public:
  bool CanAsk() const override;
  bool OutputIsTerminal() const override;
  int Width() const override;
  std::unique_ptr<Screen> OpenScreen() override;
  std::optional<std::string> ReadLine(std::string_view prompt) override;
  std::optional<Secret> ReadSecret(std::string_view prompt) override;
};

// Blocks SIGINT, SIGTERM and SIGHUP and waits for them on a thread of its own: create it before any
// other thread, so that all inherit the mask. A second signal ends the process at once. One a
// process.
std::unique_ptr<Interrupt> MakeSignalInterrupt();

}  // namespace poller::client
