#include "server/services/service_context.h"

#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "core/base/text.h"
#include "core/odoo/odoo_client.h"
#include "server/rpc/status_conversion.h"

namespace poller {

namespace v1 = odoopoller::v1;

namespace {
constexpr std::size_t kMaxShownName = 100;
}

absl::Status AsConnectionError(const absl::Status& status, std::string_view connection) {
  if (status.code() != absl::StatusCode::kNotFound) return status;
  const std::string message = "there is no connection " + std::string(connection);
  return WithMetadata(
      WithReason(MakeStatus(absl::StatusCode::kNotFound, message), "CONNECTION_NOT_FOUND"),
      "connection", connection);
}

absl::Status AsOdooError(const absl::Status& status, ConnectionId connection) {
  if (status.ok()) return status;
  if (Reason(status) == "STOPPING") return rpc::Draining();
  if (!odoo::ErrorKindOf(status))
    return AsConnectionError(status, std::to_string(connection.value()));
  return WithReason(MakeStatus(absl::StatusCode::kUnavailable,
                               "Odoo could not be read: " + std::string(Message(status))),
                    "ODOO_FAILED");
}

Task<absl::StatusOr<ConnectionWithState>> GetConnection(const ServiceContext& context,
                                                        ConnectionId id) {
  auto get = [&store = context.connections, id] { return store.Get(id); };
  auto found = co_await Blocking(context, std::move(get));
  if (!found.ok()) co_return AsConnectionError(found.status(), std::to_string(id.value()));
  co_return found;
}

Task<absl::StatusOr<ConnectionWithState>> FindConnection(const ServiceContext& context,
                                                         v1::ConnectionRef ref) {
  if (ref.key_case() == v1::ConnectionRef::kId)
    co_return co_await GetConnection(context, ConnectionId(ref.id()));
  if (ref.key_case() != v1::ConnectionRef::kName || ref.name().empty()) {
    co_return InvalidFields({{"connection", "must name a connection by id or by name"}});
  }
  const std::string name = ref.name();
  auto get = [&store = context.connections, name] { return store.GetByName(name); };
  auto found = co_await Blocking(context, std::move(get));
  if (!found.ok()) co_return AsConnectionError(found.status(), SafeText(name, kMaxShownName));
  co_return found;
}

Task<absl::StatusOr<std::optional<ConnectionId>>> FindFilter(const ServiceContext& context,
                                                             bool given, v1::ConnectionRef ref) {
  std::optional<ConnectionId> id;
  if (!given) co_return id;
  auto found = co_await FindConnection(context, std::move(ref));
  CO_RETURN_IF_ERROR(found);
  id = found->connection.id;
  co_return id;
}

void SettingsChanged(const ServiceContext& context, ConnectionId id) {
  context.scheduler.Refresh(id);
  context.dispatcher.Hint(id);
}

}  // namespace poller
