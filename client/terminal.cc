#include "client/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "client/screen.h"

namespace poller::client {
namespace {

constexpr int kDefaultWidth = 80;
constexpr int kMinWidth = 20;
constexpr int kSignalled = 128;  // a shell's offset of exit codes that tell of a signal

// What the terminal was before its echo was switched off, for an exit in the middle of a secret.
absl::Mutex g_echo_mutex(absl::kConstInit);
bool g_echo_off = false;
termios g_echo_before;

void RestoreEcho() {
  absl::MutexLock lock(&g_echo_mutex);
  if (g_echo_off) tcsetattr(STDIN_FILENO, TCSAFLUSH, &g_echo_before);
  g_echo_off = false;
}

bool SwitchEchoOff() {
  absl::MutexLock lock(&g_echo_mutex);
  if (tcgetattr(STDIN_FILENO, &g_echo_before) != 0) return false;
  termios silent = g_echo_before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  silent.c_lflag |= ECHONL;
  g_echo_off = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  return g_echo_off;
}

// A line of standard input, byte by byte: a buffered reader would keep a secret in its buffer.
std::optional<std::string> ReadLineFromInput() {
  std::string line;
  char c = 0;
  for (;;) {
    const ssize_t count = read(STDIN_FILENO, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      if (line.empty()) return std::nullopt;
      return line;
    }
    if (c == '\n') return line;
    line += c;
  }
}

class SignalInterrupt : public Interrupt {
 public:
  SignalInterrupt() {
    sigemptyset(&signals_);
    for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    // Lives as long as the process: it waits for signals and has nothing to clean up.
    std::thread([this] { Run(); }).detach();
  }

  void OnInterrupt(std::function<void()> callback) override {
    absl::MutexLock lock(&callback_mutex_);
    callback_ = std::move(callback);
  }

  bool Interrupted() const override { return interrupted_; }

  bool Wait(absl::Duration duration) override {
    absl::MutexLock lock(&wait_mutex_);
    return !wait_mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](std::atomic<bool>* flag) { return flag->load(); }, &interrupted_),
        duration);
  }

 private:
  void Run() {
    for (;;) {
      int signal = 0;
      if (sigwait(&signals_, &signal) != 0) continue;
      absl::MutexLock lock(&callback_mutex_);
      if (!callback_ || interrupted_) {
        RestoreEcho();
        LeaveScreen();
        std::_Exit(kSignalled + signal);
      }
      {
        absl::MutexLock wait(&wait_mutex_);
        interrupted_ = true;
      }
      callback_();
    }
  }

  sigset_t signals_;
  std::atomic<bool> interrupted_{false};
  absl::Mutex wait_mutex_;
  absl::Mutex callback_mutex_;  // held while the callback runs, so that its removal waits for it
  std::function<void()> callback_;
};

}  // namespace

bool SystemTerminal::CanAsk() const {
  return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool SystemTerminal::OutputIsTerminal() const { return isatty(STDOUT_FILENO) == 1; }

int SystemTerminal::Width() const {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return std::max<int>(size.ws_col, kMinWidth);
  }
  return kDefaultWidth;
}

std::unique_ptr<Screen> SystemTerminal::OpenScreen() { return TakeScreen(); }

std::optional<std::string> SystemTerminal::ReadLine(std::string_view prompt) {
  std::cerr << prompt << std::flush;
  return ReadLineFromInput();
}

std::optional<Secret> SystemTerminal::ReadSecret(std::string_view prompt) {
  std::cerr << prompt << std::flush;
  if (!SwitchEchoOff()) return std::nullopt;
  std::optional<std::string> line = ReadLineFromInput();
  RestoreEcho();
  if (!line) return std::nullopt;
  return Secret(*std::move(line));
}

std::unique_ptr<Interrupt> MakeSignalInterrupt() { return std::make_unique<SignalInterrupt>(); }

}  // namespace poller::client
