// Good shops and hostile ones in one service: real SQLite, real libcurl, real scheduler and
// dispatcher, real sockets, real time.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/async/sleeper.h"
#include "core/async/task_group.h"
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/delivery/dispatcher.h"
#include "core/http/curl/curl_http_client.h"
#include "core/polling/scheduler.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "tests/support/http_server.h"
#include "tests/support/odoo_sim.h"
#include "tests/support/receiver.h"

namespace poller::test {

// A shop that works, with a receiver of its own.
class Shop {
 public:
  Shop();
  void Confirm();
  std::string OdooUrl() const { return odoo_server_->Url(); }
  std::string WebhookUrl() const { return receiver_server_->Url("/hook"); }
  // Listings of its orders so far.
  std::int64_t Polls() const;
  WebhookReceiver& receiver() { return receiver_; }

 private:
  OdooSim sim_;
  SimDatabase& db_;
  const RecordId partner_, product_;
  WebhookReceiver receiver_;
  std::unique_ptr<HttpServer> odoo_server_, receiver_server_;
};

// The service. Polls ten times a second, retries at once, and no breaker ever opens: the hostile
// ones stay hostile.
class Neighbours {
 public:
  static constexpr std::int64_t kAnswerBudget = 8 << 20;
  Neighbours();
  ~Neighbours();

  // Of a shop like Shop, for the user "admin".
  static ConnectionSettings Settings(const std::string& name, const std::string& odoo_url,
                                     const std::string& webhook_url);
  void Add(const ConnectionSettings& settings);
  void Add(const std::string& name, const std::string& odoo_url, const std::string& webhook_url) {
    Add(Settings(name, odoo_url, webhook_url));
  }
  std::int64_t AnswerBytes();
  const std::string& folder() const { return folder_; }

 private:
  const std::string folder_;
  const Clock& clock_ = SystemClock();
  Metrics metrics_;
  RandomSource& random_ = SystemRandom();
  boost::asio::thread_pool pool_{2}, storage_pool_{2};
  std::unique_ptr<Sleeper> sleeper_;
  std::unique_ptr<SqliteStorage> storage_;
  std::unique_ptr<CurlHttpClient> odoo_http_, webhook_http_;
  std::unique_ptr<TaskGroup> tasks_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace poller::test
