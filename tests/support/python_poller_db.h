// The database that the Python poller leaves behind, as a test wants it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

struct sqlite3;

namespace poller::test {

// The key of Seal, as its key file holds it.
inline constexpr char kPythonKey[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

// Seals as its Fernet does.
std::string SealAsPython(const std::string& plain);

class PythonPollerDb {
 public:
  // A new file with its tables.
  explicit PythonPollerDb(const std::filesystem::path& path);
  ~PythonPollerDb();
  PythonPollerDb(const PythonPollerDb&) = delete;
  PythonPollerDb& operator=(const PythonPollerDb&) = delete;

  // Aborts the test program on an error.
  void Exec(const std::string& sql);
  using Row = std::map<std::string, std::string>;  // column -> value
  // What `row` does not name is a shop that works. Secrets are given in clear. Its id.
  std::int64_t AddConnection(Row row);
  // An order that it sent.
  void AddSent(std::int64_t connection, std::int64_t order, const std::string& write_date,
               const std::string& sent_at);
  // One of its retry queue. `write_date`: in the payload; empty: the payload is no JSON.
  void AddRetry(std::int64_t connection, std::int64_t order, const std::string& status,
                const std::string& write_date, const std::string& created_at);

 private:
  std::int64_t Insert(const std::string& table, const Row& row);
  sqlite3* db_ = nullptr;
};

// Every byte of the files of a database: itself, and what SQLite keeps beside it.
std::map<std::string, std::string> BytesOf(const std::filesystem::path& database);

}  // namespace poller::test
