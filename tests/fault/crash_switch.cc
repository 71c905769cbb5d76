#include "tests/fault/crash_switch.h"

namespace poller::test {

CrashSwitch::Verdict CrashSwitch::NextWrite() {
  if (down_) return Verdict::kDown;
  ++writes_;
  if (until_failure_ > 1) {
    --until_failure_;
  } else if (until_failure_ == 1 && failures_ > 0) {
    --failures_;
    ++failed_;
    return Verdict::kFail;
  }
  if (left_ == 0 || --left_ > 0) return Verdict::kRun;
  down_ = true;
  return before_ ? Verdict::kCrash : Verdict::kRunThenCrash;
}

}  // namespace poller::test
