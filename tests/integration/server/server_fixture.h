// The real server on a free port, with real stubs, a real database in a temporary folder, a
// simulated Odoo and a receiver.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/storage/sqlite/sqlite_storage.h"
#include "core/storage/token_store.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "odoopoller/v1/admin_service.grpc.pb.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"
#include "odoopoller/v1/job_service.grpc.pb.h"
#include "odoopoller/v1/order_service.grpc.pb.h"
#include "odoopoller/v1/retry_queue_service.grpc.pb.h"
#include "odoopoller/v1/sync_log_service.grpc.pb.h"
#include "server/app.h"
#include "tests/support/odoo_sim.h"
#include "tests/support/receiver.h"
#include "tests/support/status_matchers.h"

namespace poller {

namespace v1 = odoopoller::v1;

// What a call gave.
template <class Response>
struct Answer {
  grpc::Status status;
  Response body;

  bool ok() const { return status.ok(); }
  const Response* operator->() const { return &body; }
};

// Of the details of an error; empty if there are none.
google::rpc::ErrorInfo InfoOf(const grpc::Status& status);
std::vector<std::string> WrongFields(const grpc::Status& status);

// "error NOT_FOUND CONNECTION_NOT_FOUND".
MATCHER_P2(FailsWith, code, reason, "") {
  *result_listener << "which is " << arg.status.error_code() << " " << InfoOf(arg.status).reason()
                   << ": " << arg.status.error_message();
  return arg.status.error_code() == code && InfoOf(arg.status).reason() == reason;
}

// A folder that is removed with this.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Ends when the context is destroyed; 30 s at most.
class EventReader {
 public:
  EventReader(v1::SyncLogService::Stub& stub, const v1::StreamSyncEventsRequest& request,
              const std::string& token);
  ~EventReader();
  // The next message of the stream; nothing when it has ended.
  std::optional<v1::StreamSyncEventsResponse> Next();
  // The next event, passing over heartbeats; the next heartbeat, passing over events.
  std::optional<v1::SyncEvent> NextEvent();
  std::optional<v1::Heartbeat> NextHeartbeat();
  // Events up to and with the first of that type.
  std::optional<v1::SyncEvent> Until(v1::EventType type);
  // How it ended.
  Answer<v1::StreamSyncEventsResponse> End();

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::StreamSyncEventsResponse>> reader_;
  bool ended_ = false;
};

class ServerFixture : public testing::Test {
 protected:
  ServerFixture();
  ~ServerFixture() override;

  // Starts with options_, for the first time with tokens of each role.
  void Start(absl::Duration heartbeat = absl::Seconds(10));
  // False: something did not end.
  bool Stop();
  // What is on the disk of a server that does not run.
  std::unique_ptr<SqliteStorage> OpenStorage();

  template <class Stub, class Request, class Response>
  Answer<Response> CallAs(const std::string& token, const std::unique_ptr<Stub>& stub,
                          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                       Response*),
                          const Request& request) {
    grpc::ClientContext context;
    Prepare(context, token);
    Answer<Response> answer;
    answer.status = ((*stub).*method)(&context, request, &answer.body);
    return answer;
  }
  // As the administrator.
  template <class Stub, class Request, class Response>
  Answer<Response> Call(const std::unique_ptr<Stub>& stub,
                        grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                        const Request& request) {
    return CallAs(admin_, stub, method, request);
  }
  static void Prepare(grpc::ClientContext& context, const std::string& token);
  std::shared_ptr<grpc::Channel> Channel() const { return channel_; }

  // Settings that work against the simulated Odoo and the receiver.
  v1::Connection ShopSettings(const std::string& name = "shop") const;
  // Creates it and waits for its first poll.
  v1::Connection AddShop(const std::string& name = "shop");
  v1::Connection Shop(std::int64_t id);
  v1::PollConnectionResponse Poll(std::int64_t connection);
  test::RecordId ConfirmOrder(double price = 50);
  EventReader Events(const v1::StreamSyncEventsRequest& request) {
    return EventReader(*logs_, request, admin_);
  }
  // The number of the newest event.
  std::int64_t NewestSequence();
  // Events from now on, of those types alone if there are any.
  EventReader FromNow(const std::vector<v1::EventType>& types = {});
  // The receiver has accepted so many orders; waits for it.
  bool Accepted(std::int64_t orders);
  void Pause(std::int64_t connection, v1::PauseScope scope);

  static v1::ConnectionRef Ref(std::int64_t id);

  TemporaryFolder folder_;
  Options options_;
  std::int64_t shop_ = 0;  // a test's only one
  std::map<Role, std::string> tokens_;
  std::string admin_;

  test::OdooSim sim_;
  test::SimDatabase& db_;
  std::unique_ptr<test::HttpServer> odoo_;
  test::WebhookReceiver receiver_;
  std::unique_ptr<test::HttpServer> hook_;

  std::unique_ptr<App> app_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ConnectionService::Stub> connections_;
  std::unique_ptr<v1::SyncLogService::Stub> logs_;
  std::unique_ptr<v1::RetryQueueService::Stub> retries_;
  std::unique_ptr<v1::OrderService::Stub> orders_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::AdminService::Stub> status_;

 private:
  void MakeTokens();
  Metrics storage_metrics_;
  test::RecordId partner_, product_;
};

}  // namespace poller
