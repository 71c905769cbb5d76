#include "server/services/secret_rotation.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "core/crypto/encoding.h"
#include "server/rpc/convert_common.h"
#include "server/rpc/unary.h"
#include "server/services/connection_service.h"

namespace poller {
namespace {

namespace v1 = odoopoller::v1;

constexpr std::size_t kSecretBytes = 32;
constexpr absl::Duration kDefaultOverlap = absl::Hours(24);
constexpr absl::Duration kLongestOverlap = absl::Hours(24 * 30);

Secret MakeSecret(RandomSource& random) {
  std::array<std::uint8_t, kSecretBytes> bytes;
  random.Fill(bytes);
  return Secret("whsec_" + Base64Encode(std::string(bytes.begin(), bytes.end())));
}

// All but the connection's id.
absl::StatusOr<SecretChange> ChangeOf(const v1::RotateWebhookSecretRequest& request,
                                      RandomSource& random) {
  SecretChange change;
  std::vector<FieldViolation> violations;
  change.secret = request.secret().empty() ? MakeSecret(random) : Secret(request.secret());
  if (const std::string fault = SecretFault(change.secret); !fault.empty())
    violations.push_back({"secret", fault});
  change.again = request.replace_new_secret();
  if (!change.again) change.overlap = kDefaultOverlap;
  if (request.has_overlap()) {
    change.overlap = rpc::FromProto(request.overlap()).value_or(-absl::InfiniteDuration());
    if (*change.overlap < absl::ZeroDuration() || *change.overlap > kLongestOverlap)
      violations.push_back({"overlap", "must be between 0 and 30 days"});
  }
  if (!violations.empty()) return InvalidFields(violations);
  if (!request.etag().empty()) {
    ASSIGN_OR_RETURN(change.expected_version, rpc::VersionOf(request.etag()));
  }
  return change;
}

}  // namespace

absl::StatusOr<ConnectionStore::Rotated> RotateIfWanted(const rpc::Call& call,
                                                        ConnectionStore& store,
                                                        const SecretChange& change,
                                                        const Actor& actor, absl::Time now) {
  RETURN_IF_ERROR(call.StillWanted());
  return store.RotateSecret(change, actor, now);
}

grpc::ServerUnaryReactor* ConnectionServiceImpl::RotateWebhookSecret(
    grpc::CallbackServerContext* context, const v1::RotateWebhookSecretRequest* request,
    v1::RotateWebhookSecretResponse* response) {
  return rpc::ServeUnary(context_.gate, *context, *request, *response, this,
                         &ConnectionServiceImpl::Rotate);
}

Task<absl::StatusOr<v1::RotateWebhookSecretResponse>> ConnectionServiceImpl::Rotate(
    rpc::Call call, v1::RotateWebhookSecretRequest request) {
  CO_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  CO_ASSIGN_OR_RETURN(SecretChange change, ChangeOf(request, context_.random));
  CO_ASSIGN_OR_RETURN(const auto found, co_await FindConnection(context_, request.connection()));
  change.id = found.connection.id;
  auto rotate = [this, change, call, actor = call.ActorFor(request)] {
    return RotateIfWanted(call, context_.connections, change, actor, context_.clock.Now());
  };
  const auto rotated = co_await Blocking(context_, std::move(rotate));
  if (!rotated.ok())
    co_return AsConnectionError(rotated.status(), std::to_string(change.id.value()));
  SettingsChanged(context_, change.id);
  // Nothing that can fail from here on: the answer alone holds the secret.
  v1::RotateWebhookSecretResponse response;
  *response.mutable_connection() =
      rpc::ToProto(rotated->now, context_.rules, context_.disk.low(), context_.clock.Now());
  if (!rotated->repeated && request.secret().empty()) response.set_secret(change.secret.Reveal());
  co_return response;
}

}  // namespace poller
