#include "tests/support/python_poller_db.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

namespace poller::test {
namespace {

constexpr char kTables[] = R"sql(
CREATE TABLE connections (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, external_id TEXT,
  odoo_url TEXT NOT NULL, odoo_db TEXT NOT NULL, odoo_username TEXT NOT NULL,
  odoo_api_key TEXT NOT NULL, webhook_url TEXT NOT NULL, webhook_secret TEXT NOT NULL,
  poll_interval_seconds INTEGER NOT NULL DEFAULT 60, enabled INTEGER NOT NULL DEFAULT 1,
  circuit_state TEXT NOT NULL DEFAULT 'closed', circuit_failure_count INTEGER NOT NULL DEFAULT 0,
  circuit_last_failure_at TEXT, last_sync_at TEXT, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL);
CREATE TABLE sync_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, connection_id INTEGER NOT NULL, started_at TEXT NOT NULL,
  finished_at TEXT, orders_found INTEGER DEFAULT 0, orders_sent INTEGER DEFAULT 0,
  orders_failed INTEGER DEFAULT 0, orders_skipped INTEGER DEFAULT 0, error_message TEXT);
CREATE TABLE retry_queue (
  id INTEGER PRIMARY KEY AUTOINCREMENT, connection_id INTEGER NOT NULL,
  odoo_order_id INTEGER NOT NULL, odoo_order_name TEXT NOT NULL, payload TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
  max_attempts INTEGER NOT NULL DEFAULT 5, next_retry_at TEXT, last_error TEXT,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE sent_orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT, connection_id INTEGER NOT NULL,
  odoo_order_id INTEGER NOT NULL, odoo_order_name TEXT NOT NULL, odoo_write_date TEXT NOT NULL,
  sent_at TEXT NOT NULL, UNIQUE (connection_id, odoo_order_id, odoo_write_date));
)sql";

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "python_poller_db: %s\n", what);
  std::abort();
}

std::string Base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string RawKey() {
  std::string text = kPythonKey;
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  std::string raw(text.size(), '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()),
                  reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  raw.resize(32);
  return raw;
}

}  // namespace

std::string SealAsPython(const std::string& plain) {
  const std::string key = RawKey();
  const std::string vector = "0123456789abcdef";
  std::string token("\x80\0\0\0\0\x65\x53\xf1\x00", 9);
  token += vector;
  std::string sealed(plain.size() + 16, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(sealed.data());
  int first = 0;
  int last = 0;
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(context, EVP_aes_128_cbc(), nullptr,
                     reinterpret_cast<const unsigned char*>(key.data()) + 16,
                     reinterpret_cast<const unsigned char*>(vector.data()));
  EVP_EncryptUpdate(context, out, &first, reinterpret_cast<const unsigned char*>(plain.data()),
                    static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(context, out + first, &last);
  EVP_CIPHER_CTX_free(context);
  token += sealed.substr(0, static_cast<std::size_t>(first + last));
  unsigned char digest[32];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), 16, reinterpret_cast<const unsigned char*>(token.data()),
       token.size(), digest, &size);
  token.append(reinterpret_cast<const char*>(digest), size);
  return Base64(token);
}

PythonPollerDb::PythonPollerDb(const std::filesystem::path& path) {
  if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) Fail("cannot open");
  Exec(kTables);
}

PythonPollerDb::~PythonPollerDb() { sqlite3_close_v2(db_); }

void PythonPollerDb::Exec(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    Fail(sqlite3_errmsg(db_));
}

std::int64_t PythonPollerDb::Insert(const std::string& table, const Row& row) {
  std::string columns;
  std::string places;
  std::vector<std::string> values;
  for (const auto& [column, value] : row) {
    columns += (columns.empty() ? "" : ", ") + column;
    places += places.empty() ? "?" : ", ?";
    values.push_back(value);
  }
  const std::string sql = "INSERT INTO " + table + "(" + columns + ") VALUES (" + places + ")";
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    Fail(sqlite3_errmsg(db_));
  for (std::size_t i = 0; i < values.size(); ++i) {
    sqlite3_bind_text(statement, static_cast<int>(i) + 1, values[i].c_str(), -1, SQLITE_TRANSIENT);
  }
  if (sqlite3_step(statement) != SQLITE_DONE) Fail(sqlite3_errmsg(db_));
  sqlite3_finalize(statement);
  return sqlite3_last_insert_rowid(db_);
}

std::int64_t PythonPollerDb::AddConnection(Row row) {
  Row all = {{"name", "shop"},
             {"external_id", "17"},
             {"odoo_url", "https://shop.example"},
             {"odoo_db", "shop1"},
             {"odoo_username", "admin"},
             {"odoo_api_key", "admin-key"},
             {"webhook_url", "https://receiver.example/hook"},
             {"webhook_secret", "shop-secret"},
             {"last_sync_at", "2026-01-15 12:00:00"},
             {"created_at", "2025-06-01 08:00:00"},
             {"updated_at", "2026-01-15 12:00:00"}};
  for (auto& [column, value] : row) all[column] = value;
  for (const char* secret : {"odoo_api_key", "webhook_secret"})
    all[secret] = SealAsPython(all[secret]);
  return Insert("connections", all);
}

void PythonPollerDb::AddSent(std::int64_t connection, std::int64_t order,
                             const std::string& write_date, const std::string& sent_at) {
  Insert("sent_orders", {{"connection_id", std::to_string(connection)},
                         {"odoo_order_id", std::to_string(order)},
                         {"odoo_order_name", "S" + std::to_string(order)},
                         {"odoo_write_date", write_date},
                         {"sent_at", sent_at}});
}

void PythonPollerDb::AddRetry(std::int64_t connection, std::int64_t order,
                              const std::string& status, const std::string& write_date,
                              const std::string& created_at) {
  const std::string payload = write_date.empty()
                                  ? "no JSON"
                                  : R"({"source":"odoo","order":{"id":)" + std::to_string(order) +
                                        R"(,"write_date":")" + write_date + R"("}})";
  Insert("retry_queue", {{"connection_id", std::to_string(connection)},
                         {"odoo_order_id", std::to_string(order)},
                         {"odoo_order_name", "S" + std::to_string(order)},
                         {"payload", payload},
                         {"status", status},
                         {"attempts", "3"},
                         {"last_error", "HTTP 500 of the receiver"},
                         {"created_at", created_at},
                         {"updated_at", created_at}});
}

std::map<std::string, std::string> BytesOf(const std::filesystem::path& database) {
  std::map<std::string, std::string> files;
  const std::string name = database.filename().string();
  for (const auto& entry : std::filesystem::directory_iterator(database.parent_path())) {
    const std::string other = entry.path().filename().string();
    if (!other.starts_with(name)) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files[other] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  return files;
}

}  // namespace poller::test
