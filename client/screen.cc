#include "client/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace poller::client {
namespace {

// Alternate screen; cursor hidden; lines that are too long are not wrapped.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
// Terminals that know it show what stands between at once; others ignore it.
constexpr std::string_view kBeginFrame = "\x1b[?2026h\x1b[H";
constexpr std::string_view kEndFrame = "\x1b[?2026l";
constexpr std::string_view kEndLine = "\x1b[0m\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

// Handlers of signals reach no object: what they need stands here.
std::atomic<bool> g_taken{false};
bool g_has_keys = false;
termios g_before, g_keys;
std::array<int, 2> g_wake = {-1, -1};

// Those that would leave the terminal as it is. SIGINT, SIGTERM and SIGHUP come to Interrupt.
constexpr std::array kDeadly = {SIGPIPE, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGQUIT};
std::array<struct sigaction, kDeadly.size()> g_deadly_before;
struct sigaction g_stop_before, g_resize_before;

bool WriteAll(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      pollfd slow{STDOUT_FILENO, POLLOUT, 0};
      poll(&slow, 1, -1);
      continue;
    }
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void Enter() {
  g_taken = true;
  if (g_has_keys) tcsetattr(STDIN_FILENO, TCSANOW, &g_keys);
  WriteAll(kEnter);
}

void Wake(char why) {
  // A full pipe wakes as well.
  [[maybe_unused]] const ssize_t ignored = write(g_wake[1], &why, 1);
}

void OnDeadly(int signal) {
  LeaveScreen();
  for (std::size_t i = 0; i < kDeadly.size(); ++i) {
    if (kDeadly[i] == signal) sigaction(signal, &g_deadly_before[i], nullptr);
  }
  raise(signal);
}

void OnStop(int) {
  const int error = errno;
  LeaveScreen();
  raise(SIGSTOP);  // goes on here when the shell wakes us
  Enter();
  Wake('r');
  errno = error;
}

void OnResize(int) {
  const int error = errno;
  Wake('r');
  errno = error;
}

void Handle(int signal, void (*handler)(int), struct sigaction* before) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, before);
}

// What the rest of a sequence behind ESC stands for; 0: nothing. Terminals differ in what they send.
char MovingKey(std::string_view rest) {
  struct Sequence {
    std::string_view rest;
    char key;
  };
  constexpr Sequence kSequences[] = {
      {"[A", kKeyUp},      {"OA", kKeyUp},        {"[B", kKeyDown}, {"OB", kKeyDown},
      {"[5~", kKeyPageUp}, {"[6~", kKeyPageDown}, {"[H", kKeyHome}, {"OH", kKeyHome},
      {"[1~", kKeyHome},   {"[7~", kKeyHome},     {"[F", kKeyEnd},  {"OF", kKeyEnd},
      {"[4~", kKeyEnd},    {"[8~", kKeyEnd},
  };
  for (const Sequence& sequence : kSequences) {
    if (sequence.rest == rest) return sequence.key;
  }
  return 0;
}

class SystemScreen : public Screen {
 public:
  SystemScreen() {
    if (pipe2(g_wake.data(), O_CLOEXEC | O_NONBLOCK) != 0) g_wake = {-1, -1};
    g_has_keys = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &g_before) == 0;
    if (g_has_keys) {
      g_keys = g_before;
      g_keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      g_keys.c_cc[VMIN] = 1;
      g_keys.c_cc[VTIME] = 0;
    }
    for (std::size_t i = 0; i < kDeadly.size(); ++i)
      Handle(kDeadly[i], OnDeadly, &g_deadly_before[i]);
    Handle(SIGTSTP, OnStop, &g_stop_before);
    Handle(SIGWINCH, OnResize, &g_resize_before);
    Enter();
  }
  SystemScreen(const SystemScreen&) = delete;
  SystemScreen& operator=(const SystemScreen&) = delete;
  ~SystemScreen() override {
    LeaveScreen();
    sigaction(SIGWINCH, &g_resize_before, nullptr);
    sigaction(SIGTSTP, &g_stop_before, nullptr);
    for (std::size_t i = 0; i < kDeadly.size(); ++i)
      sigaction(kDeadly[i], &g_deadly_before[i], nullptr);
    for (int& end : g_wake) {
      if (end >= 0) close(end);
      end = -1;
    }
  }

  int Width() const override { return Size().ws_col; }
  int Height() const override { return Size().ws_row; }

  void Draw(const std::vector<std::string>& lines) override {
    const auto shown = std::min(lines.size(), static_cast<std::size_t>(Height()));
    std::string frame(kBeginFrame);
    for (std::size_t i = 0; i < shown; ++i) {
      frame += lines[i];
      frame += kEndLine;
      if (i + 1 < shown) frame += "\r\n";
    }
    frame += kClearBelow;
    frame += kEndFrame;
    if (!WriteAll(frame)) closed_ = true;
  }

  ScreenEvent Wait(absl::Duration duration) override {
    const absl::Duration end = SystemClock().Monotonic() + duration;
    for (;;) {
      if (closed_) return ScreenEvent::kClosed;
      if (!typed_.empty()) {
        key_ = typed_.front();
        typed_.pop_front();
        return ScreenEvent::kKey;
      }
      std::array<pollfd, 2> ends = {
          {{g_wake[0], POLLIN, 0}, {g_has_keys ? STDIN_FILENO : -1, POLLIN, 0}}};
      const auto left = absl::ToInt64Milliseconds(absl::Ceil(
          std::max(absl::ZeroDuration(), end - SystemClock().Monotonic()), absl::Milliseconds(1)));
      const int ready =
          poll(ends.data(), ends.size(), static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
      if (ready == 0) return ScreenEvent::kTime;
      if (ready < 0) {
        if (errno != EINTR) return ScreenEvent::kClosed;
        continue;
      }
      if (ends[0].revents != 0) return ReadWake();
      if (ends[1].revents != 0) ReadKeys();
    }
  }

  char key() const override { return key_; }
  void Wake() override { poller::client::Wake('w'); }

 private:
  static winsize Size() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
      size.ws_col = 80;
      size.ws_row = 24;
    }
    return size;
  }

  static ScreenEvent ReadWake() {
    std::array<char, 64> why{};
    const ssize_t count = read(g_wake[0], why.data(), why.size());
    const auto* end = why.data() + std::max<ssize_t>(count, 0);
    return std::find(static_cast<const char*>(why.data()), end, 'r') != end ? ScreenEvent::kResized
                                                                            : ScreenEvent::kWoken;
  }

  void ReadKeys() {
    std::array<char, 64> keys{};
    const ssize_t count = read(STDIN_FILENO, keys.data(), keys.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) {
      closed_ = true;
    } else {
      Take({keys.data(), static_cast<std::size_t>(count)});
    }
  }

  // Of the sequences that arrows and the like send, those that move; the others are no keys of ours.
  void Take(std::string_view keys) {
    while (!keys.empty()) {
      if (keys[0] != '\x1b') {
        typed_.push_back(keys[0]);
        keys.remove_prefix(1);
        continue;
      }
      std::size_t end = std::min<std::size_t>(keys.size(), 2);
      if (keys.starts_with("\x1b[")) {
        while (end < keys.size() && (keys[end] < '@' || keys[end] > '~')) ++end;
        end = std::min(keys.size(), end + 1);
      } else if (keys.starts_with("\x1bO")) {
        end = std::min<std::size_t>(keys.size(), 3);
      }
      if (const char key = MovingKey(keys.substr(1, end - 1)); key != 0) typed_.push_back(key);
      keys.remove_prefix(end);
    }
  }

  std::deque<char> typed_;
  char key_ = 0;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<Screen> TakeScreen() {
  const char* terminal = std::getenv("TERM");
  if (isatty(STDOUT_FILENO) != 1 || terminal == nullptr || std::string_view(terminal) == "dumb")
    return nullptr;
  return std::make_unique<SystemScreen>();
}

void LeaveScreen() {
  if (!g_taken.exchange(false)) return;
  WriteAll(kLeave);
  if (g_has_keys) tcsetattr(STDIN_FILENO, TCSANOW, &g_before);
}

}  // namespace poller::client
