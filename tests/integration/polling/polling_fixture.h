// A scheduler between a simulated shop and a real database, on a clock that the test moves.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/async/task_group.h"
#include "core/base/metrics.h"
#include "core/polling/scheduler.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "tests/integration/polling/sim_http.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_time.h"
#include "tests/support/odoo_sim.h"
#include "tests/support/status_matchers.h"

namespace poller::test {

// The ingest store as a crash leaves it: from the `fail_from`-th commit on (1: the first) nothing
// is written any more.
class CuttableIngest final : public IngestStore {
 public:
  explicit CuttableIngest(std::function<IngestStore&()> store) : store_(std::move(store)) {}
  absl::StatusOr<std::vector<OrderHead>> Heads(ConnectionId connection,
                                               const std::vector<OrderId>& orders) override {
    return store_().Heads(connection, orders);
  }
  absl::StatusOr<std::vector<OrderHead>> OpenOrders(ConnectionId connection,
                                                    const std::string& written_since, OrderId after,
                                                    int limit) override {
    return store_().OpenOrders(connection, written_since, after, limit);
  }
  absl::StatusOr<IngestResult> Commit(const IngestBatch& batch, absl::Time now) override;
  int commits = 0;
  int fail_from = 0;  // 0: never
  std::function<void(const IngestBatch&)> after_commit;

 private:
  std::function<IngestStore&()> store_;
};

class PollingFixture : public testing::Test {
 protected:
  PollingFixture();
  ~PollingFixture() override;

  // --- the shop ---
  SimDatabase& shop() { return *shop_; }
  RecordId Confirm(Tx tx = {});
  std::vector<RecordId> ConfirmMany(int count);
  RecordId LineOf(RecordId order);

  // --- the service ---
  ConnectionSettings Settings(const std::string& name = "shop") const;
  // Adds the connection and lets its first pass run.
  void Begin() { Begin(Settings()); }
  void Begin(const ConnectionSettings& settings);
  // The process ends and starts again on the same file. Passes run at once, as after a start
  // without spreading.
  void Restart();
  // What happens to the database file between the two.
  std::function<void(const std::filesystem::path&)> between_runs_;
  void StopScheduler();
  void StartScheduler();
  // Time passes until the next poll of the loop has run: an interval.
  void NextPoll() { Pass(absl::Seconds(60)); }
  void Pass(absl::Duration duration) { sleeper_.Advance(duration); }
  absl::StatusOr<PassResult> PollNow();
  void Edit(const std::function<void(ConnectionSettings&)>& change, bool end_suspension = false);
  // Odoo has no nested read from now on, so that an order and its parts are read at several moments.
  void ReadPlainly();

  template <class T>
  T Await(Task<T> task) {
    std::optional<T> result;
    auto done = [&](const std::exception_ptr& error, T value) {
      if (error) std::rethrow_exception(error);
      result.emplace(std::move(value));
    };
    boost::asio::co_spawn(io_, std::move(task), std::move(done));
    RunUntilIdle(io_);
    if (!result.has_value()) {
      ADD_FAILURE() << "the task waits for something that does not come";
      std::abort();
    }
    return std::move(*result);
  }

  // --- what it knows ---
  ConnectionState State();
  absl::Time Now() const { return clock_.Now(); }
  // "1 pending": the newest revision of an order and its status; "" if it is not known.
  std::string Known(RecordId order);
  // The body that is due for it, or was.
  std::string Body(RecordId order);
  // How many orders are known.
  int KnownOrders();
  std::vector<SyncLog> Logs();
  std::vector<std::string> Events();  // "order_found", ... since the last call
  // Orders that were read in full since the last ClearCalls, and calls of any kind.
  std::int64_t OrdersRead();
  std::size_t Calls() { return sim_->Calls().size(); }
  void ClearCalls() { sim_->ClearCalls(); }

  std::filesystem::path folder_;
  FakeClock clock_;
  absl::Duration web_offset_, database_offset_;  // Odoo's two clocks against ours
  bool odoo_sends_date_ = true;
  boost::asio::io_context io_;
  FakeSleeper sleeper_{clock_, &io_};
  FakeRandom random_;
  Metrics metrics_;
  std::unique_ptr<OdooSim> sim_;
  SimDatabase* shop_ = nullptr;
  std::unique_ptr<SimHttp> http_;
  std::unique_ptr<SqliteStorage> storage_;
  std::unique_ptr<CuttableIngest> ingest_;
  std::unique_ptr<TaskGroup> tasks_;
  std::unique_ptr<Scheduler> scheduler_;
  PollingOptions options_;
  Connection connection_;
  int hints_ = 0;
  bool full_ = false;  // no room on the disk

 private:
  void OpenStorage();
  RecordId partner_ = 0, product_ = 0;
  EventSequence seen_;
};

}  // namespace poller::test
