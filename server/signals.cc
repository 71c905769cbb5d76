#include "server/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace poller {
namespace {

constexpr int kAtOnce = 3;

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = Watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A client that hangs up must not end the process.
  signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { Listen(); });
}

StopSignals::~StopSignals() {
  done_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void StopSignals::Listen() {
  const sigset_t set = Watched();
  while (true) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (done_) return;
    absl::MutexLock lock(&mu_);
    if (++count_ == kAtOnce) _exit(1);
  }
}

void StopSignals::WaitFor(int signals) {
  const auto arrived = [this, signals]()
                           ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return count_ >= signals; };
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&arrived));
}

int StopSignals::count() const {
  absl::MutexLock lock(&mu_);
  return count_;
}

}  // namespace poller
