#include "core/storage/sqlite/sqlite_storage.h"

#include <charconv>
#include <system_error>
#include <utility>

#include "core/crypto/hash.h"
#include "core/crypto/key_ring.h"
#include "core/storage/sqlite/claim_rows.h"
#include "core/storage/sqlite/context.h"
#include "core/storage/sqlite/file_check.h"
#include "core/storage/sqlite/file_lock.h"
#include "core/storage/sqlite/migrations.h"
#include "core/storage/sqlite/open_database.h"
#include "core/storage/sqlite/revision_floor.h"
#include "core/storage/sqlite/sqlite_backup_store.h"
#include "core/storage/sqlite/sqlite_connection_store.h"
#include "core/storage/sqlite/sqlite_event_log.h"
#include "core/storage/sqlite/sqlite_import_store.h"
#include "core/storage/sqlite/sqlite_ingest_store.h"
#include "core/storage/sqlite/sqlite_job_store.h"
#include "core/storage/sqlite/sqlite_ledger_store.h"
#include "core/storage/sqlite/sqlite_order_store.h"
#include "core/storage/sqlite/sqlite_outbox_store.h"
#include "core/storage/sqlite/sqlite_request_store.h"
#include "core/storage/sqlite/sqlite_retry_store.h"
#include "core/storage/sqlite/sqlite_status_store.h"
#include "core/storage/sqlite/sqlite_sync_log_store.h"
#include "core/storage/sqlite/sqlite_token_store.h"

namespace poller {
namespace {

constexpr int kReaders = 4;

absl::Status NoKey(const std::filesystem::path& path) {
  return WithReason(
      MakeStatus(absl::StatusCode::kPermissionDenied,
                 "database " + path.string() +
                     " needs its encryption key, and none was given: name the key file"),
      "NO_KEY");
}

// The path behind symbolic links, so that one file has one lock.
std::filesystem::path RealPath(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  return error ? path : real;
}

absl::Status CheckKind(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return MakeStatus(absl::StatusCode::kUnavailable,
                      "database path " + path.string() + " is not a file");
  }
  return absl::OkStatus();
}

// A number of this run that no run before had. Claims of runs before are free from then on.
absl::StatusOr<std::int64_t> BeginRun(Transaction& transaction, const Instant& now) {
  Database& db = transaction.db;
  ASSIGN_OR_RETURN(const std::string text, ReadMeta(db, "run"));
  std::int64_t run = 0;
  std::from_chars(text.data(), text.data() + text.size(), run);
  ++run;
  RETURN_IF_ERROR(WriteMeta(db, "run", std::to_string(run)));
  RETURN_IF_ERROR(FreeClaims(transaction, now));
  RETURN_IF_ERROR(RestoreWaits(db, now));
  return run;
}

}  // namespace

// Members in start order: the lock is given back last.
struct SqliteStorage::Impl {
  Impl(std::unique_ptr<FileLock> file_lock, std::unique_ptr<Database> db,
       const std::filesystem::path& path, std::unique_ptr<ReaderPool> pool, Vault keys,
       std::string log_id, std::int64_t run, absl::Duration epoch, int revision_floor,
       const Clock& clock, Metrics& metrics)
      : lock(std::move(file_lock)),
        vault(std::move(keys)),
        writer(std::move(db), clock, metrics),
        readers(std::move(pool)),
        context{writer, *readers, vault, run, epoch, revision_floor},
        connections(context),
        ingest(context),
        outbox(context),
        orders(context),
        events(context, std::move(log_id)),
        sync_logs(context),
        tokens(context),
        requests(context),
        jobs(context),
        ledger(context),
        retries(context),
        backups(context, path),
        status(context),
        imports(context) {}

  std::unique_ptr<FileLock> lock;
  Vault vault;
  Writer writer;  // closes last: a reader could not fold the WAL back into the file
  std::unique_ptr<ReaderPool> readers;
  StoreContext context;
  SqliteConnectionStore connections;
  SqliteIngestStore ingest;
  SqliteOutboxStore outbox;
  SqliteOrderStore orders;
  SqliteEventLog events;
  SqliteSyncLogStore sync_logs;
  SqliteTokenStore tokens;
  SqliteRequestStore requests;
  SqliteJobStore jobs;
  SqliteLedgerStore ledger;
  SqliteRetryStore retries;
  SqliteBackupStore backups;
  SqliteStatusStore status;
  SqliteImportStore imports;
};

bool SqliteStorage::IsNew(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  // Anything but "there is none" is left to Open, which says what is wrong.
  return error ? error == std::errc::no_such_file_or_directory : size == 0;
}

absl::Status SqliteStorage::CheckOurs(const std::filesystem::path& path) {
  const std::filesystem::path real = RealPath(path);
  RETURN_IF_ERROR(CheckKind(real));
  return IsNew(real) ? absl::OkStatus() : CheckFile(real);
}

absl::StatusOr<std::unique_ptr<SqliteStorage>> SqliteStorage::Open(const SqliteOptions& options,
                                                                   const Clock& clock,
                                                                   RandomSource& random,
                                                                   Metrics& metrics) {
  CryptoInit();
  const std::filesystem::path path = RealPath(options.path);
  RETURN_IF_ERROR(CheckKind(path));
  if (!IsNew(path)) {
    RETURN_IF_ERROR(CheckFile(path));
  } else if (!options.create) {
    return MakeStatus(absl::StatusCode::kNotFound, "there is no database " + path.string());
  }
  if (options.master_keys.empty()) return NoKey(path);
  ASSIGN_OR_RETURN(const KeyRing keys, KeyRing::Parse(options.master_keys));

  ASSIGN_OR_RETURN(auto lock, FileLock::Acquire(path));
  if (IsNew(path)) RETURN_IF_ERROR(CreateDatabase(path, keys, random));
  RETURN_IF_ERROR(CheckFile(path));  // again: it may have appeared before we had the lock
  ASSIGN_OR_RETURN(auto db, OpenForWriting(path));
  // The key first: without it nothing is changed.
  RETURN_IF_ERROR(Vault::Open(*db, keys, random));
  RETURN_IF_ERROR(Migrate(*db, SchemaSteps()));
  ASSIGN_OR_RETURN(Vault vault, Vault::Open(*db, keys, random));
  ASSIGN_OR_RETURN(std::string log_id, ReadMeta(*db, "log_id"));

  ASSIGN_OR_RETURN(const int floor, ReadRevisionFloor(*db));

  const Instant start = clock.Read();
  const absl::Duration epoch = EpochOf(start);
  RETURN_IF_ERROR(db->Exec("BEGIN IMMEDIATE"));
  Transaction transaction(*db);
  ASSIGN_OR_RETURN(const std::int64_t run, BeginRun(transaction, {start.wall, start.mono + epoch}));
  RETURN_IF_ERROR(db->Exec("COMMIT"));

  ASSIGN_OR_RETURN(auto readers, ReaderPool::Open(path, kReaders));
  std::unique_ptr<SqliteStorage> storage(new SqliteStorage(std::make_unique<Impl>(
      std::move(lock), std::move(db), path, std::move(readers), std::move(vault), std::move(log_id),
      run, epoch, floor, clock, metrics)));
  RETURN_IF_ERROR(storage->impl_->connections.Purge());
  return storage;
}

SqliteStorage::SqliteStorage(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStorage::~SqliteStorage() = default;

ConnectionStore& SqliteStorage::connections() { return impl_->connections; }
IngestStore& SqliteStorage::ingest() { return impl_->ingest; }
OutboxStore& SqliteStorage::outbox() { return impl_->outbox; }
OrderStore& SqliteStorage::orders() { return impl_->orders; }
EventLog& SqliteStorage::events() { return impl_->events; }
SyncLogStore& SqliteStorage::sync_logs() { return impl_->sync_logs; }
TokenStore& SqliteStorage::tokens() { return impl_->tokens; }
RequestStore& SqliteStorage::requests() { return impl_->requests; }
JobStore& SqliteStorage::jobs() { return impl_->jobs; }
LedgerStore& SqliteStorage::ledger() { return impl_->ledger; }
BackupStore& SqliteStorage::backups() { return impl_->backups; }
RetryStore& SqliteStorage::retries() { return impl_->retries; }
StatusStore& SqliteStorage::status() { return impl_->status; }
ImportStore& SqliteStorage::imports() { return impl_->imports; }

}  // namespace poller
