// One SQLite connection and its statements: RAII, and errors as Status. Internal to storage/sqlite.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/strong_id.h"

struct sqlite3;
struct sqlite3_stmt;

namespace poller {

class Database;

// Bytes for a BLOB column; a string is TEXT.
struct Blob {
  std::string_view bytes;
};

// A statement that runs. It must not outlive its Database; when it is destroyed the statement is
// ready for the next use. Columns count from 0 and are valid until the next Next().
class Query {
 public:
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  // True: there is a row. False: the end, or an error, see status().
  bool Next();
  const absl::Status& status() const { return status_; }

  bool IsNull(int column) const;
  std::int64_t Int(int column) const;
  bool Bool(int column) const { return Int(column) != 0; }
  double Real(int column) const;
  std::string Text(int column) const;  // of TEXT and BLOB; NULL: empty
  template <class Id>
  Id As(int column) const {
    return Id(Int(column));
  }
  absl::Time TimeOr(int column, absl::Time null) const;
  std::optional<absl::Time> OptionalTime(int column) const;

 private:
  friend class Database;
  Query(Database& db, sqlite3_stmt* statement, std::string_view sql, absl::Status status);
  // Every parameter type that Database::Run takes.
  void Bind(int index, std::int64_t value);
  void Bind(int index, double value);
  void Bind(int index, std::string_view value);
  void Bind(int index, Blob value);
  void Bind(int index, std::nullopt_t);
  void Bind(int index, absl::Time value);  // microseconds; NULL when infinite
  void Bind(int index, const std::string& value) { Bind(index, std::string_view(value)); }
  void Bind(int index, const char* value) { Bind(index, std::string_view(value)); }
  template <std::integral T>
  void Bind(int index, T value) {
    Bind(index, static_cast<std::int64_t>(value));
  }
  template <class Tag>
  void Bind(int index, StrongId<Tag> value) {
    Bind(index, value.value());
  }
  template <class T>
  void Bind(int index, const std::optional<T>& value) {
    if (value) {
      Bind(index, *value);
    } else {
      Bind(index, std::nullopt);
    }
  }
  void Check(int code);

  Database* db_;
  sqlite3_stmt* statement_;
  std::string_view sql_;
  absl::Status status_;
};

// Not synchronised: one thread at a time.
class Database {
 public:
  enum class Mode {
    kReadWrite,  // must exist
    kReadOnly,
    kImmutable,  // reads the file alone, without its WAL; makes no file beside it
  };
  // kUnavailable, kDataLoss.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::filesystem::path& path,
                                                        Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Binds the parameters ?1, ?2, ... in order. `sql` must live as long as the Query: a literal.
  template <class... Args>
  Query Run(std::string_view sql, const Args&... args) {
    Query query = Prepare(sql);
    int index = 0;
    (query.Bind(++index, args), ...);
    return query;
  }
  // Runs a statement that gives no rows.
  template <class... Args>
  absl::Status Exec(std::string_view sql, const Args&... args) {
    Query query = Run(sql, args...);
    query.Next();
    return query.status();
  }
  // Statements that run end soon with kCancelled once `stop` is true. It outlives this.
  void StopWhen(const std::atomic<bool>& stop);
  // Several statements without parameters.
  absl::Status Script(const std::string& sql);

  std::int64_t last_insert_id() const;
  // Rows that the last INSERT, UPDATE or DELETE touched.
  std::int64_t changes() const;
  // False: an error has rolled the transaction back already.
  bool in_transaction() const;
  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Query;
  Database(sqlite3* handle, std::filesystem::path path);
  Query Prepare(std::string_view sql);
  void Return(std::string_view sql, sqlite3_stmt* statement);
  absl::Status Error(int code) const;

  sqlite3* handle_;
  std::filesystem::path path_;
  // Prepared statements that are not in use, by their text.
  std::map<std::string, std::vector<sqlite3_stmt*>, std::less<>> idle_;
};

}  // namespace poller
