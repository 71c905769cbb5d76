// pollerctl: the command line of the Odoo Order Poller.
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/app.h"
#include "client/exit_code.h"
#include "client/terminal.h"

int main(int argc, char** argv) {
  using poller::client::Io;
  // A reader that closes the pipe ends us without a word, also if our parent ignores the signal.
  std::signal(SIGPIPE, SIG_DFL);
  // gRPC explains failed connections in its log; we do it in words.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  // Before gRPC has threads, which inherit the mask of signals.
  const auto interrupt = poller::client::MakeSignalInterrupt();
  poller::client::SystemTerminal terminal;
  Io io{std::cin,
        std::cout,
        std::cerr,
        terminal,
        *interrupt,
        poller::SystemClock(),
        [](const std::string& name) -> std::optional<std::string> {
          const char* value = std::getenv(name.c_str());
          if (value == nullptr) return std::nullopt;
          return value;
        }};
  try {
    return poller::client::RunClient(std::vector<std::string>(argv + 1, argv + argc), io);
  } catch (const std::exception& error) {
    std::cerr << "pollerctl: " << error.what() << '\n';
    return poller::client::kRefused;
  }
}
