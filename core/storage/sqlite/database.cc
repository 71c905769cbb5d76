#include "core/storage/sqlite/database.h"

#include <sqlite3.h>

#include <utility>

#include "core/base/status.h"

namespace poller {
namespace {

constexpr int kBusyMilliseconds = 5000;

absl::StatusCode CodeOf(int extended) {
  switch (extended & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_IOERR:
      return extended == SQLITE_IOERR_CORRUPTFS ? absl::StatusCode::kDataLoss
                                                : absl::StatusCode::kUnavailable;
    case SQLITE_INTERRUPT:
      return absl::StatusCode::kCancelled;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status ErrorOf(int extended, const std::filesystem::path& path, const char* detail) {
  std::string text = "database " + path.string() + ": " + sqlite3_errstr(extended);
  if (detail != nullptr && text.find(detail) == std::string::npos) {
    text += std::string(" (") + detail + ")";
  }
  return MakeStatus(CodeOf(extended), text);
}

// A path as a URI of SQLite: what has a meaning there is escaped.
std::string Uri(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#') {
      static constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      uri += '%';
      uri += kDigits[byte >> 4];
      uri += kDigits[byte & 15];
    } else {
      uri += c;
    }
  }
  return uri;
}

}  // namespace

Query::Query(Database& db, sqlite3_stmt* statement, std::string_view sql, absl::Status status)
    : db_(&db), statement_(statement), sql_(sql), status_(std::move(status)) {}

Query::Query(Query&& other) noexcept
    : db_(other.db_),
      statement_(std::exchange(other.statement_, nullptr)),
      sql_(other.sql_),
      status_(std::move(other.status_)) {}

Query::~Query() {
  if (statement_ != nullptr) db_->Return(sql_, statement_);
}

bool Query::Next() {
  if (!status_.ok() || statement_ == nullptr) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) Check(code);
  // Ends a read at once: a statement that is merely left open would hold its snapshot.
  sqlite3_reset(statement_);
  return false;
}

void Query::Check(int code) {
  if (code != SQLITE_OK && status_.ok()) status_ = db_->Error(code);
}

void Query::Bind(int index, std::int64_t value) {
  if (status_.ok()) Check(sqlite3_bind_int64(statement_, index, value));
}
void Query::Bind(int index, double value) {
  if (status_.ok()) Check(sqlite3_bind_double(statement_, index, value));
}
void Query::Bind(int index, std::string_view value) {
  if (!status_.ok()) return;
  // An empty view may have no data, which would bind NULL.
  Check(sqlite3_bind_text64(statement_, index, value.data() == nullptr ? "" : value.data(),
                            value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Query::Bind(int index, Blob value) {
  if (!status_.ok()) return;
  Check(sqlite3_bind_blob64(statement_, index,
                            value.bytes.data() == nullptr ? "" : value.bytes.data(),
                            value.bytes.size(), SQLITE_TRANSIENT));
}
void Query::Bind(int index, std::nullopt_t) {
  if (status_.ok()) Check(sqlite3_bind_null(statement_, index));
}
void Query::Bind(int index, absl::Time value) {
  if (value == absl::InfinitePast() || value == absl::InfiniteFuture()) {
    Bind(index, std::nullopt);
  } else {
    Bind(index, absl::ToUnixMicros(value));
  }
}

bool Query::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::int64_t Query::Int(int column) const { return sqlite3_column_int64(statement_, column); }
double Query::Real(int column) const { return sqlite3_column_double(statement_, column); }
std::string Query::Text(int column) const {
  const void* const bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr
             ? std::string()
             : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}
absl::Time Query::TimeOr(int column, absl::Time null) const {
  return IsNull(column) ? null : absl::FromUnixMicros(Int(column));
}
std::optional<absl::Time> Query::OptionalTime(int column) const {
  if (IsNull(column)) return std::nullopt;
  return absl::FromUnixMicros(Int(column));
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::filesystem::path& path,
                                                         Mode mode) {
  std::string uri = Uri(path);
  if (mode == Mode::kReadWrite) uri += "?mode=rw";
  if (mode == Mode::kReadOnly) uri += "?mode=ro";
  if (mode == Mode::kImmutable) uri += "?mode=ro&immutable=1";
  const int access = mode == Mode::kReadWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      uri.c_str(), &handle, access | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  if (code != SQLITE_OK) {
    absl::Status status = ErrorOf(code, path, handle == nullptr ? nullptr : sqlite3_errmsg(handle));
    sqlite3_close_v2(handle);
    return status;
  }
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return std::unique_ptr<Database>(new Database(handle, path));
}

Database::Database(sqlite3* handle, std::filesystem::path path)
    : handle_(handle), path_(std::move(path)) {}

Database::~Database() {
  for (const auto& [sql, statements] : idle_) {
    for (sqlite3_stmt* const statement : statements) sqlite3_finalize(statement);
  }
  sqlite3_close_v2(handle_);
}

Query Database::Prepare(std::string_view sql) {
  if (const auto found = idle_.find(sql); found != idle_.end() && !found->second.empty()) {
    sqlite3_stmt* const statement = found->second.back();
    found->second.pop_back();
    return Query(*this, statement, sql, absl::OkStatus());
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  return Query(*this, statement, sql, code == SQLITE_OK ? absl::OkStatus() : Error(code));
}

void Database::Return(std::string_view sql, sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);  // they may hold a secret or a large text
  auto found = idle_.find(sql);
  if (found == idle_.end())
    found = idle_.emplace(std::string(sql), std::vector<sqlite3_stmt*>()).first;
  found->second.push_back(statement);
}

void Database::StopWhen(const std::atomic<bool>& stop) {
  constexpr int kSteps = 1000;  // of SQLite's machine between two looks: well under a millisecond
  sqlite3_progress_handler(
      handle_, kSteps,
      [](void* flag) { return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0; },
      const_cast<std::atomic<bool>*>(&stop));
}

absl::Status Database::Script(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code);
}

absl::Status Database::Error(int code) const {
  return ErrorOf(code, path_, sqlite3_errmsg(handle_));
}
std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }
std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

}  // namespace poller
