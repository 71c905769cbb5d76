// When the writes of a simulated process stop.
#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace poller::test {

// Counts writes down to a crash, or to a time in which all of them fail.
class CrashSwitch {
 public:
  enum class Verdict { kRun, kRunThenCrash, kCrash, kDown, kFail };
  // The `writes`-th write from now (1: the next) is the last thing that happens (`before`: does not
  // happen).
  void Arm(int writes, bool before) {
    left_ = writes;
    before_ = before;
  }
  // Writes from the `first`-th from now fail and leave no trace, `count` of them.
  void ArmFailures(int first, int count) {
    until_failure_ = first;
    failures_ = count;
  }
  void Disarm() { left_ = until_failure_ = 0; }
  Verdict NextWrite();
  bool down() const { return down_; }
  void Recover() { down_ = false, left_ = 0; }
  std::int64_t writes() const { return writes_; }
  // Writes that failed as armed.
  std::int64_t failed() const { return failed_; }

 private:
  int left_ = 0;
  bool before_ = false;
  bool down_ = false;
  int until_failure_ = 0;
  int failures_ = 0;
  std::int64_t writes_ = 0, failed_ = 0;
};

// What everything gets from a process that is gone.
inline absl::Status Down() { return absl::UnavailableError("the process is gone"); }

// Runs one write through the switch.
template <class F>
auto Write(CrashSwitch& crash, F write) -> decltype(write()) {
  switch (crash.NextWrite()) {
    case CrashSwitch::Verdict::kRun:
      return write();
    case CrashSwitch::Verdict::kRunThenCrash:
      (void)write();
      return Down();
    case CrashSwitch::Verdict::kCrash:
    case CrashSwitch::Verdict::kDown:
      return Down();
    case CrashSwitch::Verdict::kFail:
      return absl::UnavailableError("database or disk is full");
  }
  return Down();
}

// Runs one read: nothing is read by a process that is gone.
template <class F>
auto Read(const CrashSwitch& crash, F read) -> decltype(read()) {
  if (crash.down()) return Down();
  return read();
}

}  // namespace poller::test
