// Connections for readers: the writer never blocks them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/base/status.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// Thread-safe.
class ReaderPool {
 public:
  static absl::StatusOr<std::unique_ptr<ReaderPool>> Open(const std::filesystem::path& path,
                                                          int size);

  // Calls `read` with a connection, in one snapshot of the database; gives its result (a Status or
  // StatusOr).
  template <class F>
  auto Read(F read) -> decltype(read(std::declval<Database&>())) {
    const Lease lease(*this);
    RETURN_IF_ERROR(lease.db->Exec("BEGIN"));
    auto result = read(*lease.db);
    lease.db->Exec("COMMIT").IgnoreError();
    if (lease.db->in_transaction()) lease.db->Exec("ROLLBACK").IgnoreError();
    return result;
  }

 private:
  struct Lease {
    explicit Lease(ReaderPool& p) : pool(p), db(p.Take()) {}
    ~Lease() { pool.Give(std::move(db)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ReaderPool& pool;
    std::unique_ptr<Database> db;
  };
  ReaderPool() = default;
  std::unique_ptr<Database> Take();
  void Give(std::unique_ptr<Database> db);

  absl::Mutex mu_;
  std::vector<std::unique_ptr<Database>> idle_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller
