#include "server/services/connection_service.h"

#include <utility>

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "server/rpc/convert_common.h"
#include "server/rpc/convert_sync_log.h"
#include "server/rpc/page_token.h"
#include "server/rpc/status_conversion.h"
#include "server/rpc/unary.h"

namespace poller {
namespace {

namespace v1 = odoopoller::v1;

// How often an update without etag is made again because another one came between its read and its
// write.
constexpr int kUpdateTries = 5;
// Rows read at a time while looking for unhealthy connections.
constexpr int kScanRows = 500;

v1::Connection AsProto(const ServiceContext& context, const ConnectionWithState& connection) {
  return rpc::ToProto(connection, context.rules, context.disk.low(), context.clock.Now());
}

struct Legs {
  std::optional<bool> polling, delivery;
};

absl::StatusOr<Legs> LegsOf(v1::PauseScope scope, bool paused) {
  switch (scope) {
    case v1::PAUSE_SCOPE_UNSPECIFIED:
    case v1::PAUSE_SCOPE_BOTH:
      return Legs{paused, paused};
    case v1::PAUSE_SCOPE_POLLING:
      return Legs{paused, std::nullopt};
    case v1::PAUSE_SCOPE_DELIVERY:
      return Legs{std::nullopt, paused};
    default:
      return InvalidFields(
          {{"scope", "is not a scope of this version: POLLING, DELIVERY and BOTH are"}});
  }
}

bool IsSo(const ConnectionSettings& settings, const Legs& legs) {
  return legs.polling.value_or(settings.paused_polling) == settings.paused_polling &&
         legs.delivery.value_or(settings.paused_delivery) == settings.paused_delivery;
}

// Pauses or resumes, and gives the connection as it is then.
Task<absl::StatusOr<ConnectionWithState>> SetPaused(const ServiceContext& context,
                                                    v1::ConnectionRef ref, Legs legs, Actor actor) {
  auto found = co_await FindConnection(context, std::move(ref));
  CO_RETURN_IF_ERROR(found);
  if (IsSo(found->connection.settings, legs)) co_return found;
  const ConnectionId id = found->connection.id;
  auto set = [&context, id, legs, actor] {
    return context.connections.SetPaused(id, legs.polling, legs.delivery, actor,
                                         context.clock.Now());
  };
  const auto changed = co_await Blocking(context, std::move(set));
  if (!changed.ok()) co_return AsConnectionError(changed.status(), std::to_string(id.value()));
  SettingsChanged(context, id);
  co_return co_await GetConnection(context, id);
}

absl::StatusOr<ConnectionOrder> OrderOf(v1::ConnectionOrder order) {
  switch (order) {
    case v1::CONNECTION_ORDER_UNSPECIFIED:
    case v1::CONNECTION_ORDER_ID:
      return ConnectionOrder::kId;
    case v1::CONNECTION_ORDER_NAME:
      return ConnectionOrder::kName;
    case v1::CONNECTION_ORDER_OLDEST_WAITING:
      return ConnectionOrder::kOldestWaiting;
    case v1::CONNECTION_ORDER_LAST_POLL:
      return ConnectionOrder::kLastPoll;
    default:
      return InvalidFields(
          {{"order",
            "is not an order of this version: ID, NAME, OLDEST_WAITING and LAST_POLL are"}});
  }
}

// Pages of connections, unhealthy ones alone if asked for: which those are is not stored, so that
// rows are looked through.
absl::StatusOr<v1::ListConnectionsResponse> ListPage(const ServiceContext& context,
                                                     const v1::ListConnectionsRequest& request,
                                                     const rpc::Page& page) {
  ASSIGN_OR_RETURN(const ConnectionOrder order, OrderOf(request.order()));
  v1::ListConnectionsResponse response;
  ConnectionPlace after{ConnectionId(page.after), page.key};
  ConnectionPlace last;
  std::size_t bytes = 0;
  while (true) {
    const int limit = request.unhealthy() ? kScanRows : page.size + 1;
    ASSIGN_OR_RETURN(const auto rows, context.connections.ListIn(order, after, limit));
    for (const ConnectionWithState& row : rows) {
      if (request.unhealthy() && !rpc::IsUnhealthy(row, context.disk.low())) continue;
      if (response.connections_size() == page.size || bytes > rpc::kMaxPageBytes) {
        response.set_next_page_token(rpc::PageToken(request, last.id.value(), last.key));
        return response;
      }
      *response.add_connections() = AsProto(context, row);
      bytes += response.connections().rbegin()->ByteSizeLong();
      last = {row.connection.id, ConnectionKey(order, row)};
    }
    if (static_cast<int>(rows.size()) < limit) return response;
    after = {rows.back().connection.id, ConnectionKey(order, rows.back())};
  }
}

// One try: reads, applies, writes what was read. kAborted if somebody else came between.
absl::StatusOr<Connection> UpdateOnce(const ServiceContext& context,
                                      const v1::UpdateConnectionRequest& request,
                                      const Actor& actor) {
  const ConnectionId id(request.connection().id());
  const auto before = context.connections.Get(id);
  if (!before.ok()) return AsConnectionError(before.status(), std::to_string(id.value()));
  ConnectionUpdate update;
  update.id = id;
  update.expected_version = before->connection.version;
  if (!request.connection().etag().empty()) {
    ASSIGN_OR_RETURN(update.expected_version, rpc::VersionOf(request.connection().etag()));
  }
  ASSIGN_OR_RETURN(auto change,
                   rpc::ChangeSettings(before->connection.settings, request.connection(),
                                       request.update_mask(), context.rules));
  if (change.changed.empty() && update.expected_version == before->connection.version)
    return before->connection;
  update.settings = std::move(change.settings);
  update.changed = std::move(change.changed);
  update.end_suspension = change.credentials;
  update.reset_odoo = change.other_odoo && !request.same_odoo();
  auto updated = context.connections.Update(update, actor, context.clock.Now());
  if (!updated.ok()) return AsConnectionError(updated.status(), std::to_string(id.value()));
  return updated;
}

absl::StatusOr<Connection> UpdateUntilDone(const ServiceContext& context,
                                           const v1::UpdateConnectionRequest& request,
                                           const Actor& actor) {
  for (int attempt = 1;; ++attempt) {
    auto updated = UpdateOnce(context, request, actor);
    const bool again = updated.status().code() == absl::StatusCode::kAborted &&
                       request.connection().etag().empty();
    if (!again || attempt == kUpdateTries) return updated;
  }
}

TestStep WebhookStep(const WebhookTest& test, bool legacy_header_sent) {
  TestStep step;
  step.name = "webhook";
  step.duration = test.duration;
  step.result = test.ok ? TestStep::Result::kOk : TestStep::Result::kFailed;
  if (!test.ok && !test.error.empty()) {
    step.detail = test.error;  // begins with the status, if there was one
  } else if (test.http_status != 0) {
    step.detail = "HTTP " + std::to_string(test.http_status);
  }
  if (test.ok) return step;
  const bool refused = test.http_status == 401 || test.http_status == 403;
  if (refused && !legacy_header_sent) {
    step.hint =
        "the receiver does not accept the signature: check the secret; if it was made for the "
        "Python poller, it may want the secret "
        "itself as X-Webhook-Secret: set webhook.legacy_secret_header (pollerctl edit ID "
        "--legacy-secret-header)";
  } else if (refused) {
    step.hint = "the receiver does not accept the secret: check webhook.secret on both sides";
  } else if (test.http_status == 404 || test.http_status == 405) {
    step.hint = "check the path in webhook.url: the receiver takes no webhooks there";
  } else if (test.http_status == 0) {
    const bool refused_here = test.error.find("--egress-allow") != std::string::npos;
    step.hint = refused_here ? "the server's operator must allow this address (--egress-allow)"
                             : "check webhook.url, and that this machine may reach it";
  } else {
    step.hint = "look into the receiver's own log";
  }
  return step;
}

}  // namespace

grpc::ServerUnaryReactor* ConnectionServiceImpl::CreateConnection(
    grpc::CallbackServerContext* context, const v1::CreateConnectionRequest* request,
    v1::CreateConnectionResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &ConnectionServiceImpl::Create);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::GetConnection(
    grpc::CallbackServerContext* context, const v1::GetConnectionRequest* request,
    v1::GetConnectionResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &ConnectionServiceImpl::Get);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::ListConnections(
    grpc::CallbackServerContext* context, const v1::ListConnectionsRequest* request,
    v1::ListConnectionsResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &ConnectionServiceImpl::List);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::UpdateConnection(
    grpc::CallbackServerContext* context, const v1::UpdateConnectionRequest* request,
    v1::UpdateConnectionResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &ConnectionServiceImpl::Update);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::DeleteConnection(
    grpc::CallbackServerContext* context, const v1::DeleteConnectionRequest* request,
    v1::DeleteConnectionResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &ConnectionServiceImpl::Delete);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::PauseConnection(
    grpc::CallbackServerContext* context, const v1::PauseConnectionRequest* request,
    v1::PauseConnectionResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &ConnectionServiceImpl::Pause);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::ResumeConnection(
    grpc::CallbackServerContext* context, const v1::ResumeConnectionRequest* request,
    v1::ResumeConnectionResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &ConnectionServiceImpl::Resume);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::TestConnection(
    grpc::CallbackServerContext* context, const v1::TestConnectionRequest* request,
    v1::TestConnectionResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &ConnectionServiceImpl::Test);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::PollConnection(
    grpc::CallbackServerContext* context, const v1::PollConnectionRequest* request,
    v1::PollConnectionResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &ConnectionServiceImpl::Poll);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::ResetCircuit(
    grpc::CallbackServerContext* context, const v1::ResetCircuitRequest* request,
    v1::ResetCircuitResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &ConnectionServiceImpl::Reset);
}

Task<absl::StatusOr<v1::CreateConnectionResponse>> ConnectionServiceImpl::Create(
    rpc::Call call, v1::CreateConnectionRequest request) {
  CO_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  CO_ASSIGN_OR_RETURN(auto settings,
                      rpc::NewSettings(request.connection(), context_.rules, context_.clock.Now()));
  const std::string name = settings.name;
  auto create = [this, settings = std::move(settings), actor = call.ActorFor(request)] {
    return context_.connections.Create(settings, actor, context_.clock.Now());
  };
  const auto created = co_await Blocking(context_, std::move(create));
  if (!created.ok()) {
    co_return created.status().code() == absl::StatusCode::kAlreadyExists
        ? WithMetadata(created.status(), "name", name)
        : created.status();
  }
  context_.scheduler.Add(created->id, /*spread=*/false);
  context_.dispatcher.Add(created->id);
  CO_ASSIGN_OR_RETURN(auto connection, co_await poller::GetConnection(context_, created->id));
  v1::CreateConnectionResponse response;
  *response.mutable_connection() = AsProto(context_, connection);
  co_return response;
}

Task<absl::StatusOr<v1::GetConnectionResponse>> ConnectionServiceImpl::Get(
    rpc::Call, v1::GetConnectionRequest request) {
  CO_ASSIGN_OR_RETURN(auto connection, co_await FindConnection(context_, request.connection()));
  v1::GetConnectionResponse response;
  *response.mutable_connection() = AsProto(context_, connection);
  co_return response;
}

Task<absl::StatusOr<v1::ListConnectionsResponse>> ConnectionServiceImpl::List(
    rpc::Call, v1::ListConnectionsRequest request) {
  CO_ASSIGN_OR_RETURN(const rpc::Page page, rpc::ReadPage(request));
  auto list = [this, request, page] { return ListPage(context_, request, page); };
  co_return co_await Blocking(context_, std::move(list));
}

Task<absl::StatusOr<v1::UpdateConnectionResponse>> ConnectionServiceImpl::Update(
    rpc::Call call, v1::UpdateConnectionRequest request) {
  if (request.connection().id() <= 0)
    co_return InvalidFields({{"connection.id", "must be the id of a connection"}});
  const ConnectionId id(request.connection().id());
  auto update = [this, request, actor = call.ActorFor(request)] {
    return UpdateUntilDone(context_, request, actor);
  };
  const auto updated = co_await Blocking(context_, std::move(update));
  if (!updated.ok()) {
    co_return updated.status().code() == absl::StatusCode::kAlreadyExists
        ? WithMetadata(updated.status(), "name", request.connection().name())
        : updated.status();
  }
  SettingsChanged(context_, id);
  CO_ASSIGN_OR_RETURN(auto connection, co_await poller::GetConnection(context_, id));
  v1::UpdateConnectionResponse response;
  *response.mutable_connection() = AsProto(context_, connection);
  co_return response;
}

Task<absl::StatusOr<v1::DeleteConnectionResponse>> ConnectionServiceImpl::Delete(
    rpc::Call call, v1::DeleteConnectionRequest request) {
  CO_ASSIGN_OR_RETURN(auto found, co_await FindConnection(context_, request.connection()));
  const ConnectionId id = found.connection.id;
  auto remove = [this, id, force = request.force(), actor = call.ActorFor(request)] {
    return context_.connections.Delete(id, force, actor, context_.clock.Now());
  };
  absl::Status removed = co_await Blocking(context_, std::move(remove));
  if (removed.code() == absl::StatusCode::kFailedPrecondition) {
    removed = WithMetadata(std::move(removed), "waiting", std::to_string(found.state.waiting));
    removed = WithMetadata(std::move(removed), "dead", std::to_string(found.state.dead));
  }
  if (!removed.ok()) co_return AsConnectionError(removed, std::to_string(id.value()));
  SettingsChanged(context_, id);
  v1::DeleteConnectionResponse response;
  response.set_undelivered_count(found.state.waiting + found.state.dead);
  co_return response;
}

Task<absl::StatusOr<v1::PauseConnectionResponse>> ConnectionServiceImpl::Pause(
    rpc::Call call, v1::PauseConnectionRequest request) {
  CO_ASSIGN_OR_RETURN(const Legs legs, LegsOf(request.scope(), true));
  CO_ASSIGN_OR_RETURN(auto connection, co_await SetPaused(context_, request.connection(), legs,
                                                          call.ActorFor(request)));
  v1::PauseConnectionResponse response;
  *response.mutable_connection() = AsProto(context_, connection);
  co_return response;
}

Task<absl::StatusOr<v1::ResumeConnectionResponse>> ConnectionServiceImpl::Resume(
    rpc::Call call, v1::ResumeConnectionRequest request) {
  CO_ASSIGN_OR_RETURN(const Legs legs, LegsOf(request.scope(), false));
  CO_ASSIGN_OR_RETURN(auto connection, co_await SetPaused(context_, request.connection(), legs,
                                                          call.ActorFor(request)));
  v1::ResumeConnectionResponse response;
  *response.mutable_connection() = AsProto(context_, connection);
  co_return response;
}

Task<absl::StatusOr<v1::TestConnectionResponse>> ConnectionServiceImpl::Test(
    rpc::Call call, v1::TestConnectionRequest request) {
  CO_ASSIGN_OR_RETURN(auto found, co_await FindConnection(context_, request.connection()));
  std::vector<TestStep> steps =
      co_await context_.scheduler.TestOdoo(found.connection, call.Wanted());
  CO_RETURN_IF_ERROR(call.StillWanted());
  const WebhookTest webhook = co_await context_.dispatcher.SendTest(found.connection);
  steps.push_back(WebhookStep(webhook, found.connection.settings.webhook.legacy_secret_header));
  v1::TestConnectionResponse response;
  response.set_healthy(true);
  for (const TestStep& step : steps) {
    *response.add_steps() = rpc::ToProto(step);
    if (step.result == TestStep::Result::kFailed) response.set_healthy(false);
  }
  if (!response.healthy() || !found.state.suspension) co_return response;
  const ConnectionId id = found.connection.id;
  const absl::Status ended = co_await context_.scheduler.ResetCircuit(id, call.ActorFor());
  if (!ended.ok()) co_return AsConnectionError(ended, std::to_string(id.value()));
  SettingsChanged(context_, id);
  co_return response;
}

Task<absl::StatusOr<v1::PollConnectionResponse>> ConnectionServiceImpl::Poll(
    rpc::Call call, v1::PollConnectionRequest request) {
  CO_ASSIGN_OR_RETURN(auto found, co_await FindConnection(context_, request.connection()));
  const ConnectionId id = found.connection.id;
  const Instant start = context_.clock.Read();
  const auto pass = co_await context_.scheduler.PollNow(id, call.Wanted());
  v1::PollConnectionResponse response;
  rpc::SetTime(response, &v1::PollConnectionResponse::mutable_start_time, start.wall);
  if (pass.ok()) {
    *response.mutable_duration() = rpc::ToProto(pass->duration);
    *response.mutable_counts() = rpc::CountsOf(*pass);
    co_return response;
  }
  const absl::Status error = AsOdooError(pass.status(), id);
  if (Reason(error) != "ODOO_FAILED") co_return error;
  *response.mutable_duration() = rpc::ToProto(context_.clock.Monotonic() - start.mono);
  response.set_error(std::string(Message(pass.status())));
  co_return response;
}

Task<absl::StatusOr<v1::ResetCircuitResponse>> ConnectionServiceImpl::Reset(
    rpc::Call call, v1::ResetCircuitRequest request) {
  CO_ASSIGN_OR_RETURN(auto found, co_await FindConnection(context_, request.connection()));
  const ConnectionId id = found.connection.id;
  const Actor actor = call.ActorFor(request);
  // First what is stored, as a whole with its event; then those who work with it.
  auto reset = [this, id, actor] {
    return context_.connections.ResetCircuits(id, actor, context_.clock.Now());
  };
  const absl::Status stored = co_await Blocking(context_, std::move(reset));
  if (!stored.ok()) co_return AsConnectionError(stored, std::to_string(id.value()));
  const absl::Status odoo = co_await context_.scheduler.ResetCircuit(id, actor);
  if (!odoo.ok()) co_return AsConnectionError(odoo, std::to_string(id.value()));
  const absl::Status receiver = co_await context_.dispatcher.ResetCircuit(id);
  if (!receiver.ok()) co_return AsConnectionError(receiver, std::to_string(id.value()));
  CO_ASSIGN_OR_RETURN(auto connection, co_await poller::GetConnection(context_, id));
  v1::ResetCircuitResponse response;
  *response.mutable_connection() = AsProto(context_, connection);
  co_return response;
}

}  // namespace poller
