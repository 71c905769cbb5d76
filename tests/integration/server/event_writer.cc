#include "tests/integration/server/event_writer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "odoopoller/v1/connection_service.grpc.pb.h"

namespace poller::test {
namespace {

namespace v1 = odoopoller::v1;

template <class Request, class Response>
grpc::Status Act(const std::shared_ptr<grpc::Channel>& channel, const std::string& token,
                 std::int64_t connection,
                 grpc::Status (v1::ConnectionService::Stub::*method)(grpc::ClientContext*,
                                                                     const Request&, Response*)) {
  const auto stub = v1::ConnectionService::NewStub(channel);
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer " + token);
  Request request;
  request.mutable_connection()->set_id(connection);
  request.set_scope(v1::PAUSE_SCOPE_DELIVERY);  // polls would tell of the Odoo that is not there
  Response response;
  return ((*stub).*method)(&context, request, &response);
}

}  // namespace

v1::Connection AddPaused(const std::shared_ptr<grpc::Channel>& channel, const std::string& token,
                         v1::Connection connection) {
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer " + token);
  v1::CreateConnectionRequest request;
  *request.mutable_connection() = std::move(connection);
  request.mutable_connection()->set_paused_polling(true);
  request.mutable_connection()->set_paused_delivery(true);
  v1::CreateConnectionResponse response;
  const grpc::Status status =
      v1::ConnectionService::NewStub(channel)->CreateConnection(&context, request, &response);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.error_message().c_str());
    std::abort();
  }
  return response.connection();
}

std::int64_t AddQuietConnection(const std::shared_ptr<grpc::Channel>& channel,
                                const std::string& token, const std::string& name) {
  v1::Connection connection;
  connection.set_name(name);
  connection.mutable_odoo()->set_url("https://odoo.example");
  connection.mutable_odoo()->set_database("shop");
  connection.mutable_odoo()->set_username("admin");
  connection.mutable_odoo()->set_api_key("key");
  connection.mutable_webhook()->set_url("https://receiver.example");
  connection.mutable_webhook()->set_secret("secret");
  return AddPaused(channel, token, std::move(connection)).id();
}

EventWriter::EventWriter(std::string token, std::int64_t connection)
    : token_(std::move(token)), connection_(connection), thread_([this] { Run(); }) {}

EventWriter::~EventWriter() {
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
  }
  thread_.join();
}

void EventWriter::Use(std::shared_ptr<grpc::Channel> channel) {
  absl::MutexLock lock(&mu_);
  channel_ = std::move(channel);
}

void EventWriter::WriteUpTo(std::int64_t events) {
  absl::MutexLock lock(&mu_);
  wanted_ = std::max(wanted_, events);
}

std::int64_t EventWriter::written() {
  absl::MutexLock lock(&mu_);
  return written_;
}

void EventWriter::Wait() {
  absl::MutexLock lock(&mu_, absl::Condition(this, &EventWriter::IsDone));
}

void EventWriter::Run() {
  bool paused = true;
  while (true) {
    std::shared_ptr<grpc::Channel> channel;
    {
      absl::MutexLock lock(&mu_, absl::Condition(this, &EventWriter::HasWork));
      if (stopped_) return;
      channel = channel_;
    }
    const grpc::Status status =
        paused ? Act(channel, token_, connection_, &v1::ConnectionService::Stub::ResumeConnection)
               : Act(channel, token_, connection_, &v1::ConnectionService::Stub::PauseConnection);
    absl::MutexLock lock(&mu_);
    if (status.ok()) {
      paused = !paused;
      ++written_;
    } else if (channel_ == channel) {
      channel_ = nullptr;  // the server stops; whether this one was written, the next call settles
    }
  }
}

}  // namespace poller::test
