// The one thread that writes, with group commit.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// What a piece of work sees of the transaction that it is a part of.
class Transaction {
 public:
  explicit Transaction(Database& database) : db(database) {}
  Database& db;
  bool wrote_events = false;
};

// Runs pieces of work on its thread, up to 100 of them in one transaction, so that they share one
// flush to the disk. Each has its own savepoint: one that fails leaves no trace and does not hurt
// the others. Thread-safe.
class Writer {
 public:
  using Work = std::function<absl::Status(Transaction&)>;

  // `db` is open for writing. `clock` and `metrics` outlive this.
  Writer(std::unique_ptr<Database> db, const Clock& clock, Metrics& metrics);
  // Does what is queued, then ends.
  ~Writer();

  // Blocks until `work` is durable; then OK. An error of `work` or of the commit: nothing of it was
  // stored. Not to be called from `work`.
  absl::Status Run(Work work);
  // See EventLog::SetListener. Waits until a call of the listener before has ended; not to be
  // called by a listener.
  void SetEventListener(std::function<void()> listener);

 private:
  struct Job {
    Work work;
    absl::Status status;
    bool done = false;
  };
  void Loop();
  // Up to kMaxGroup jobs in one transaction; sets their statuses.
  void RunGroup();
  absl::Status RunJob(Job& job, Transaction& transaction);
  Job* Take();
  void CallListener();

  std::unique_ptr<Database> db_;
  const Clock& clock_;
  Counter& commits_;
  Counter& jobs_;
  Counter& failures_;
  Histogram& seconds_;
  absl::Mutex mu_;
  std::deque<Job*> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  absl::Mutex listener_mu_;
  std::shared_ptr<const std::function<void()>> listener_ ABSL_GUARDED_BY(listener_mu_);
  bool listener_runs_ ABSL_GUARDED_BY(listener_mu_) = false;
  std::thread thread_;
};

}  // namespace poller
