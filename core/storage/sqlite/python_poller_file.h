// The database of the Python poller, read for `pollerd import`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/storage/import_store.h"
#include "core/storage/sqlite/database.h"

namespace poller {

// A row of its table `connections`, as it stands there: nothing is checked but that it can be read.
struct PythonConnection {
  std::int64_t id = 0;
  std::string name, external_id;
  std::string odoo_url, odoo_db, odoo_username, webhook_url;
  std::string odoo_api_key, webhook_secret;  // Fernet tokens
  std::int64_t poll_interval_seconds = 0;
  bool enabled = true;
  std::string last_sync_at, created_at;  // ParsePythonTime; empty: never
};

// "YYYY-MM-DD HH:MM:SS" in UTC, which its code writes; a T between, a fraction, and Z or another
// zone behind are understood. kInvalidArgument.
absl::StatusOr<absl::Time> ParsePythonTime(const std::string& text);

// Not synchronised.
class PythonPollerFile {
 public:
  // The file, and what lies beside it, stay as they are to the last byte. A journal or WAL beside it
  // holds changes that are not in it yet: then a copy of both is read, which has no name any more
  // when this returns. Errors, each naming the file:
  // - kNotFound: there is none.
  // - kFailedPrecondition (reason NOT_PYTHON_POLLER): no database, or tables or columns are missing,
  //   all of which are named.
  // - kDataLoss: damaged. kUnavailable: it cannot be read or copied.
  static absl::StatusOr<std::unique_ptr<PythonPollerFile>> Open(const std::filesystem::path& path);

  // By id.
  absl::StatusOr<std::vector<PythonConnection>> Connections();

  // What it did with each order of a connection, by rising order id. Of an order the newest decides:
  // the state that was sent last, or one that was written later and waits in its retry queue or was
  // discarded. Rows that cannot be understood are told to `bad`, with table and id, and passed over.
  absl::Status EachOrder(std::int64_t connection, const ImportedConnection::Take& take,
                         const std::function<void(const std::string&)>& bad);

  // kFailedPrecondition: the file was written to since Open; the Python poller still runs.
  absl::Status CheckUnchanged() const;

 private:
  struct Stamp {  // of one of the files
    std::uintmax_t size = 0;
    std::int64_t modified = 0;  // nanoseconds
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  using Stamps = std::vector<std::optional<Stamp>>;
  explicit PythonPollerFile(std::filesystem::path path);
  Stamps Look() const;
  absl::Status OpenDatabase();
  absl::Status OpenCopy();
  absl::Status CheckTables();

  const std::filesystem::path path_;
  const Stamps stamps_;
  std::unique_ptr<Database> db_;
};

}  // namespace poller
