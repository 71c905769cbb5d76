#include "server/services/admin_service.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/status.h"
#include "server/rpc/convert_common.h"
#include "server/rpc/unary.h"

namespace poller {

namespace v1 = odoopoller::v1;

namespace {

constexpr std::size_t kMaxName = 100;

// The name becomes a part of a path on the server: nothing that leads elsewhere.
absl::Status CheckBackupName(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!name.empty() && name.size() <= kMaxName && name.front() != '.' &&
      std::all_of(name.begin(), name.end(), allowed)) {
    return absl::OkStatus();
  }
  return InvalidFields({{"name",
                         "must be 1 to 100 letters, digits, '.', '_' or '-', and not begin with a "
                         "dot: a file name, not a path"}});
}

absl::Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  return error ? MakeStatus(absl::StatusCode::kUnavailable,
                            "the folder " + folder.string() + " cannot be made: " + error.message())
               : absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* AdminServiceImpl::GetServerStatus(
    grpc::CallbackServerContext* context, const v1::GetServerStatusRequest* request,
    v1::GetServerStatusResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &AdminServiceImpl::Status);
}

Task<absl::StatusOr<v1::GetServerStatusResponse>> AdminServiceImpl::Status(
    rpc::Call, v1::GetServerStatusRequest) {
  auto count = [this] { return context_.status.Totals(); };
  CO_ASSIGN_OR_RETURN(const StorageTotals totals, co_await Blocking(context_, std::move(count)));
  auto range_of = [this] { return context_.events.Range(); };
  CO_ASSIGN_OR_RETURN(const EventRange range, co_await Blocking(context_, std::move(range_of)));
  const Instant now = context_.clock.Read();
  v1::GetServerStatusResponse response;
  response.set_version(context_.version);
  *response.mutable_start_time() = rpc::ToProto(context_.started.wall);
  *response.mutable_uptime() = rpc::ToProto(now.mono - context_.started.mono);
  *response.mutable_time() = rpc::ToProto(now.wall);
  response.set_connection_count(totals.connections);
  const bool disk_low = context_.disk.low();
  response.set_unhealthy_count(disk_low ? totals.unhealthy_or_polled : totals.unhealthy);
  response.set_suspended_count(totals.suspended);
  response.set_paused_count(totals.paused);
  response.set_waiting_count(totals.waiting);
  response.set_dead_count(totals.dead);
  rpc::SetTime(response, &v1::GetServerStatusResponse::mutable_oldest_waiting_time,
               totals.oldest_waiting);
  response.mutable_event_log()->set_log_id(range.log_id);
  response.mutable_event_log()->set_oldest_sequence(range.oldest.value());
  response.mutable_event_log()->set_newest_sequence(range.newest.value());
  response.set_database_bytes(totals.database_bytes);
  response.set_held_count(totals.held);
  response.set_expiring_key_count(totals.keys_expiring);
  if (context_.disk.free_bytes() >= 0) response.set_disk_free_bytes(context_.disk.free_bytes());
  response.set_disk_low(disk_low);
  co_return response;
}

grpc::ServerUnaryReactor* AdminServiceImpl::BackupDatabase(grpc::CallbackServerContext* context,
                                                           const v1::BackupDatabaseRequest* request,
                                                           v1::BackupDatabaseResponse* response) {
  return rpc::ServeOnce(context_.gate, *context, *request, *response, this,
                        &AdminServiceImpl::Backup);
}

Task<absl::StatusOr<v1::BackupDatabaseResponse>> AdminServiceImpl::Backup(
    rpc::Call call, v1::BackupDatabaseRequest request) {
  CO_RETURN_IF_ERROR(CheckBackupName(request.name()));
  const absl::Duration began = context_.clock.Monotonic();
  auto backup = [this, name = request.name(),
                 actor = call.ActorFor(request)]() -> absl::StatusOr<BackupInfo> {
    RETURN_IF_ERROR(MakeFolder(context_.backup_folder));
    ASSIGN_OR_RETURN(const std::int64_t needed, context_.backups.NeededBytes());
    ASSIGN_OR_RETURN(const std::int64_t free, FreeDisk(context_.backup_folder));
    RETURN_IF_ERROR(CheckRoom("a backup", needed, free, context_.disk.min_free()));
    return context_.backups.Backup(context_.backup_folder / name, actor, context_.clock.Now());
  };
  CO_ASSIGN_OR_RETURN(const BackupInfo made, co_await Blocking(context_, std::move(backup)));
  v1::BackupDatabaseResponse response;
  response.set_path(made.path.string());
  response.set_size_bytes(made.bytes);
  *response.mutable_duration() = rpc::ToProto(context_.clock.Monotonic() - began);
  co_return response;
}

}  // namespace poller
