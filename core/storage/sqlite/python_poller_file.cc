#include "core/storage/sqlite/python_poller_file.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/storage/sqlite/disk_file.h"
#include "core/storage/sqlite/python_orders.h"

namespace poller {
namespace {

namespace fs = std::filesystem;

// The file and what SQLite keeps beside it that may hold changes.
constexpr std::array<const char*, 3> kParts = {"", "-wal", "-journal"};

struct Table {
  const char* name;
  std::vector<const char*> columns;  // that we read
};
const std::vector<Table>& Tables() {
  static const auto* const kTables = new std::vector<Table>{
      {"connections",
       {"id", "name", "external_id", "odoo_url", "odoo_db", "odoo_username", "odoo_api_key",
        "webhook_url", "webhook_secret", "poll_interval_seconds", "enabled", "last_sync_at",
        "created_at"}},
      {"retry_queue",
       {"id", "connection_id", "odoo_order_id", "odoo_order_name", "payload", "status", "attempts",
        "last_error", "created_at"}},
      {"sent_orders",
       {"id", "connection_id", "odoo_order_id", "odoo_order_name", "odoo_write_date", "sent_at"}}};
  return *kTables;
}

absl::Status NotPythonPoller(const fs::path& path, const std::string& why) {
  return WithReason(
      MakeStatus(absl::StatusCode::kFailedPrecondition,
                 "file " + path.string() + " is not a database of the Python poller: " + why),
      "NOT_PYTHON_POLLER");
}

bool IsEmpty(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  return error || size == 0;
}

// A temporary folder for its owner alone, which goes with this.
class PrivateFolder {
 public:
  PrivateFolder() {
    std::error_code error;
    const fs::path parent = fs::temp_directory_path(error);
    std::string name = ((error ? fs::path("/tmp") : parent) / "pollerd-import-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) {
      path_ = name;
    } else {
      status_ =
          MakeStatus(absl::StatusCode::kUnavailable,
                     "cannot make a temporary folder " + name + ": " +
                         std::generic_category().message(errno) + "; TMPDIR names another place");
    }
  }
  ~PrivateFolder() {
    std::error_code ignored;
    if (status_.ok()) fs::remove_all(path_, ignored);
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  const absl::Status& status() const { return status_; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<absl::Time> ParsePythonTime(const std::string& text) {
  constexpr std::size_t kDate = sizeof("2026-01-15") - 1;
  std::string rfc = text;
  if (rfc.size() > kDate && rfc[kDate] == ' ') rfc[kDate] = 'T';
  const bool has_zone =
      rfc.find_first_of("Zz+", kDate) != std::string::npos || rfc.rfind('-') > kDate;
  if (rfc.size() > kDate && !has_zone) rfc += 'Z';
  const auto time = ParseTime(rfc);
  if (time.ok()) return time;
  return MakeStatus(absl::StatusCode::kInvalidArgument,
                    "\"" + SafeText(text, 60) + "\" is no time such as 2026-01-15 10:31:02");
}

PythonPollerFile::PythonPollerFile(fs::path path) : path_(std::move(path)), stamps_(Look()) {}

PythonPollerFile::Stamps PythonPollerFile::Look() const {
  Stamps stamps;
  for (const char* part : kParts) {
    struct stat info;
    if (stat((path_.string() + part).c_str(), &info) != 0) {
      stamps.emplace_back();
      continue;
    }
    stamps.push_back(
        Stamp{static_cast<std::uintmax_t>(info.st_size),
              std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec});
  }
  return stamps;
}

absl::StatusOr<std::unique_ptr<PythonPollerFile>> PythonPollerFile::Open(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error || !fs::is_regular_file(real, error)) {
    return MakeStatus(absl::StatusCode::kNotFound, "there is no file " + path.string() +
                                                       ": name the database of the Python poller");
  }
  std::unique_ptr<PythonPollerFile> file(new PythonPollerFile(real));
  RETURN_IF_ERROR(file->OpenDatabase());
  const absl::Status checked = file->CheckTables();
  if (absl::IsDataLoss(checked) && IsEmpty(real.string() + "-wal"))
    return NotPythonPoller(real, std::string(Message(checked)));
  RETURN_IF_ERROR(checked);
  RETURN_IF_ERROR(file->CheckUnchanged());
  return file;
}

absl::Status PythonPollerFile::OpenDatabase() {
  const bool whole = IsEmpty(path_.string() + "-wal") && IsEmpty(path_.string() + "-journal");
  if (!whole) return OpenCopy();
  ASSIGN_OR_RETURN(db_, Database::Open(path_, Database::Mode::kImmutable));
  return absl::OkStatus();
}

absl::Status PythonPollerFile::OpenCopy() {
  const PrivateFolder folder;
  RETURN_IF_ERROR(folder.status());
  const fs::path copy = folder.path() / path_.filename();
  for (const char* part : kParts) {
    if (!fs::exists(path_.string() + part)) continue;
    RETURN_IF_ERROR(CopyToNewFile(path_.string() + part, copy.string() + part));
  }
  {
    ASSIGN_OR_RETURN(const auto db, Database::Open(copy, Database::Mode::kReadWrite));
    RETURN_IF_ERROR(db->Script("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE"));
  }
  ASSIGN_OR_RETURN(db_, Database::Open(copy, Database::Mode::kImmutable));
  return absl::OkStatus();
}

absl::Status PythonPollerFile::CheckTables() {
  std::string missing;
  const auto miss = [&missing](const std::string& what) {
    missing += (missing.empty() ? "" : ", ") + what;
  };
  for (const Table& table : Tables()) {
    std::set<std::string> columns;
    Query query = db_->Run("SELECT name FROM pragma_table_info(?1)", table.name);
    while (query.Next()) columns.insert(query.Text(0));
    RETURN_IF_ERROR(query.status());
    if (columns.empty()) {
      miss("the table " + std::string(table.name));
      continue;
    }
    for (const char* column : table.columns) {
      if (!columns.contains(column)) miss("the column " + std::string(table.name) + "." + column);
    }
  }
  if (!missing.empty()) return NotPythonPoller(path_, "it lacks " + missing);
  return absl::OkStatus();
}

absl::Status PythonPollerFile::CheckUnchanged() const {
  if (Look() == stamps_) return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kFailedPrecondition,
                    "file " + path_.string() +
                        " changes while it is read: stop the Python poller, then import again");
}

absl::StatusOr<std::vector<PythonConnection>> PythonPollerFile::Connections() {
  std::vector<PythonConnection> connections;
  Query query = db_->Run(
      "SELECT id, name, external_id, odoo_url, odoo_db, odoo_username, odoo_api_key, webhook_url, "
      "webhook_secret, poll_interval_seconds, enabled, last_sync_at, created_at FROM connections "
      "ORDER BY id");
  while (query.Next()) {
    PythonConnection& row = connections.emplace_back();
    row.id = query.Int(0);
    row.name = query.Text(1);
    row.external_id = query.Text(2);
    row.odoo_url = query.Text(3);
    row.odoo_db = query.Text(4);
    row.odoo_username = query.Text(5);
    row.odoo_api_key = query.Text(6);
    row.webhook_url = query.Text(7);
    row.webhook_secret = query.Text(8);
    row.poll_interval_seconds = query.Int(9);
    row.enabled = query.Bool(10);
    row.last_sync_at = query.Text(11);
    row.created_at = query.Text(12);
  }
  RETURN_IF_ERROR(query.status());
  return connections;
}

absl::Status PythonPollerFile::EachOrder(std::int64_t connection,
                                         const ImportedConnection::Take& take,
                                         const std::function<void(const std::string&)>& bad) {
  return EachPythonOrder(*db_, connection, take, bad);
}

}  // namespace poller
