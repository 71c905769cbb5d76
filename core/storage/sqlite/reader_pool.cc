#include "core/storage/sqlite/reader_pool.h"

namespace poller {

absl::StatusOr<std::unique_ptr<ReaderPool>> ReaderPool::Open(const std::filesystem::path& path,
                                                             int size) {
  std::unique_ptr<ReaderPool> pool(new ReaderPool);
  for (int i = 0; i < size; ++i) {
    ASSIGN_OR_RETURN(auto db, Database::Open(path, Database::Mode::kReadOnly));
    RETURN_IF_ERROR(
        db->Script("PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; PRAGMA cache_size=-2000"));
    pool->Give(std::move(db));
  }
  return pool;
}

std::unique_ptr<Database> ReaderPool::Take() {
  absl::MutexLock lock(&mu_);
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !idle_.empty(); };
  mu_.Await(absl::Condition(&ready));
  std::unique_ptr<Database> db = std::move(idle_.back());
  idle_.pop_back();
  return db;
}

void ReaderPool::Give(std::unique_ptr<Database> db) {
  absl::MutexLock lock(&mu_);
  idle_.push_back(std::move(db));
}

}  // namespace poller
