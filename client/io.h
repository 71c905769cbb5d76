// What the client touches of the world beside the server: in tests all of it is replaced.
#pragma once

#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/secret.h"

namespace poller::client {

// What can happen in front of a screen.
enum class ScreenEvent {
  kTime,     // nothing, for so long as was asked
  kKey,      // a key: see Screen::key
  kResized,  // the window has another size: draw again
  kWoken,    // Wake was called
  kClosed,   // the terminal is gone
};

// Keys that move, as the characters that move in shells and pagers when Ctrl is held.
inline constexpr char kKeyUp = '\x10';        // Ctrl-P
inline constexpr char kKeyDown = '\x0e';      // Ctrl-N
inline constexpr char kKeyPageUp = '\x02';    // Ctrl-B
inline constexpr char kKeyPageDown = '\x06';  // Ctrl-F
inline constexpr char kKeyHome = '\x01';      // Ctrl-A
inline constexpr char kKeyEnd = '\x05';       // Ctrl-E

// The whole window of the terminal, for what is drawn again and again. While it is there nothing
// else may write to the terminal.
class Screen {
 public:
  // Puts the terminal back as it was.
  virtual ~Screen() = default;
  virtual int Width() const = 0;
  virtual int Height() const = 0;
  // Replaces all that is shown, without flicker. Lines that do not fit below are left out.
  virtual void Draw(const std::vector<std::string>& lines) = 0;
  virtual ScreenEvent Wait(absl::Duration duration) = 0;
  // The character of the last kKey, or one of kKeyUp and those below it.
  virtual char key() const = 0;
  // Ends a Wait, be it the next one. Thread-safe.
  virtual void Wake() = 0;
};

// The person in front of us, if there is one.
class Terminal {
 public:
  virtual ~Terminal() = default;
  // Somebody can be asked: standard input is a terminal.
  virtual bool CanAsk() const = 0;
  // Standard output is a terminal: tables fit its width, and colour is possible.
  virtual bool OutputIsTerminal() const = 0;
  // Columns of the output; at least 20.
  virtual int Width() const = 0;
  // Takes the window over. nullptr: standard output is no terminal that can do that.
  virtual std::unique_ptr<Screen> OpenScreen() = 0;
  // Shows `prompt` on standard error and reads a line. Empty optional: the input has ended.
  virtual std::optional<std::string> ReadLine(std::string_view prompt) = 0;
  // The same without showing what is typed.
  virtual std::optional<Secret> ReadSecret(std::string_view prompt) = 0;
};

// Ctrl-C and SIGTERM. Thread-safe.
class Interrupt {
 public:
  virtual ~Interrupt() = default;
  // Called once, on another thread, when the user interrupts; without a callback the process ends.
  // Replaces the one before; nullptr removes it and waits until it does not run.
  virtual void OnInterrupt(std::function<void()> callback) = 0;
  virtual bool Interrupted() const = 0;
  // Waits for `duration`, or for an interrupt. False: interrupted.
  virtual bool Wait(absl::Duration duration) = 0;
};

// Not owned; outlives every command.
struct Io {
  std::istream& in;   // for secrets on standard input
  std::ostream& out;  // the answer
  std::ostream& err;  // everything else
  Terminal& terminal;
  Interrupt& interrupt;
  const Clock& clock;
  // A variable of the environment; empty optional: not set.
  std::function<std::optional<std::string>(const std::string&)> env;
};

}  // namespace poller::client
