#include "client/errors.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "client/exit_code.h"
#include "client/output/text.h"
#include "google/rpc/status.pb.h"

namespace poller::client {
namespace {

constexpr std::string_view kDomain = "odoopoller";

struct FieldFlag {
  std::string_view field, flag;
};
// Settings of a connection are named as the requests hold them: "connection.name", because a
// request may have a name of its own.
constexpr FieldFlag kFlags[] = {
    {"connection", "ID or -c ID"},
    {"connection.name", "--name"},
    {"connection.external_id", "--connection-id"},
    {"connection.odoo.url", "--url"},
    {"connection.odoo.database", "--database"},
    {"connection.odoo.username", "--username"},
    {"connection.odoo.api_key", "--api-key-file"},
    {"connection.odoo.protocol", "--protocol"},
    {"connection.odoo.company_ids", "--company"},
    {"connection.odoo.ca_pem", "--odoo-ca"},
    {"connection.odoo.rate", "--odoo-rate"},
    {"connection.webhook.url", "--webhook-url"},
    {"connection.webhook.secret", "--webhook-secret-file"},
    {"connection.webhook.legacy_secret_header", "--legacy-secret-header"},
    {"connection.webhook.ca_pem", "--webhook-ca"},
    {"connection.interval", "--interval"},
    {"connection.overlap", "--overlap"},
    {"connection.line_interval", "--line-interval"},
    {"connection.track_age", "--track-age"},
    {"connection.send_cancelled", "--send-cancelled"},
    {"connection.send_every_touch", "--send-every-touch"},
    {"connection.start_from", "--start-from"},
    {"connection.paused_polling", "--disabled"},
    {"connection.paused_delivery", "--disabled"},
    {"same_odoo", "--same-odoo"},
    {"force", "--force"},
    {"scope", "--polling or --delivery"},
    {"unhealthy", "--unhealthy"},
    {"since_time", "--since"},
    {"until_time", "--until"},
    {"repair", "--repair"},
    {"validate_only", "--dry-run"},
    {"unfinished", "--unfinished"},
    {"job_id", "N"},
    {"delivery_id", "N"},
    {"dead", "--dead"},
    {"reason", "--reason"},
    {"order", "NAME or --id"},
    {"order_id", "--id"},
    {"selection", "--last, --order or --id"},
    {"last_n", "--last"},
    {"orders", "--order or --id"},
    {"orders.names", "--order"},
    {"orders.ids", "--id"},
    {"name_prefix", "--prefix"},
    {"page_size", "-n"},
    {"after_sequence", "--after"},
    {"types", "--type"},
    {"include_payload", "--payload"},
    {"name", "NAME"},
    {"role", "--role"},
    {"token_id", "ID"},
    {"secret", "--secret-file"},
    {"overlap", "--overlap"},
    {"replace_new_secret", "--again"},
};

struct Hint {
  std::string_view reason, text;
};
constexpr Hint kHints[] = {
    {"TOKEN_MISSING",
     "name the file with your token: --token-file FILE or POLLERCTL_TOKEN_FILE. The server's own "
     "is DATA_DIR/admin.token"},
    {"TOKEN_INVALID",
     "the token is of another server or was revoked. The server's own is DATA_DIR/admin.token"},
    {"ROLE_TOO_LOW", "use a token with a higher role"},
    {"CONNECTION_NOT_FOUND", "pollerctl list shows the connections"},
    {"NAME_TAKEN", "choose another name; pollerctl list, or token list, shows those in use"},
    {"ETAG_MISMATCH", "somebody else changed it meanwhile: look at it again, and repeat"},
    {"UNDELIVERED_ORDERS",
     "pollerctl orders shows them; --force deletes them, and they will never be delivered"},
    {"ORDER_NOT_FOUND",
     "pollerctl orders shows the orders that are known; pollerctl send reads one from Odoo"},
    {"DELIVERY_NOT_FOUND", "pollerctl retries shows what waits or is dead"},
    {"NOT_NEWEST_REVISION",
     "a newer revision of the order took its place: pollerctl order NAME shows it"},
    {"NOT_RETRYABLE",
     "only what is pending or dead can be retried or discarded; pollerctl send sends an order "
     "again"},
    {"IN_FLIGHT", "repeat in a moment"},
    {"REQUEST_RUNNING", "repeat in a moment"},
    {"SEQUENCE_OUT_OF_RANGE",
     "begin again with --after 0 (the oldest that is kept), or without --after (from now on)"},
    {"LOG_CHANGED", "a backup was restored: begin again with --after 0, or without --after"},
    {"EVENTS_PRUNED", "begin again with --after 0 (the oldest that is kept)"},
    {"TOKEN_NOT_FOUND", "pollerctl token list --all shows the tokens there are"},
    {"LAST_ADMIN", "pollerctl token create NAME --role admin makes another one"},
    {"TOO_MANY_CALLS", "wait until one ends, or use another token"},
    {"TOO_MANY_STREAMS", "close one, or use another token"},
    {"ROTATION_RUNS",
     "pollerctl show ID says until when; --overlap 0 does not wait for it; --again replaces a new "
     "secret that nobody received"},
    {"NO_ROTATION_RUNS", "pollerctl rotate-secret ID without --again begins one"},
    {"ODOO_FAILED", "pollerctl test ID shows what is wrong"},
    {"JOB_NOT_FOUND", "pollerctl jobs lists them"},
    {"JOB_RUNS", "pollerctl jobs --unfinished shows it; pollerctl jobs cancel N ends it"},
    {"FILE_EXISTS", "choose another NAME"},
    {"DISK_LOW", "pollerctl status shows how much is free"},
    {"STORAGE_BUSY", "repeat in a moment; if it stays, look at the disk of the server"},
    {"DRAINING", "the server is stopping: repeat when it is back"},
};

std::string_view HintFor(const ErrorDetails& details) {
  for (const Hint& hint : kHints) {
    if (hint.reason == details.reason) return hint.text;
  }
  return "";
}

// Codes with which a call ends when there is nobody at the other end.
bool Unreachable(const grpc::Status& status, bool connected) {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return DetailsOf(status).reason.empty();
  return status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && !connected;
}

void ReportUnreachable(std::ostream& err, const grpc::Status& status, const std::string& server) {
  err << fmt::format("pollerctl: cannot reach a server at {}\n", Printable(server));
  err << fmt::format("  {}\n", Printable(status.error_message()));
  err << "  hint: start one with: pollerd\n"
         "        or name another: --server HOST:PORT or POLLERCTL_SERVER\n";
}

}  // namespace

ErrorDetails DetailsOf(const grpc::Status& status) {
  ErrorDetails details;
  google::rpc::Status carried;
  if (!carried.ParseFromString(status.error_details())) return details;
  for (const auto& any : carried.details()) {
    if (any.Is<google::rpc::ErrorInfo>()) {
      google::rpc::ErrorInfo info;
      if (any.UnpackTo(&info) && info.domain() == kDomain) {
        details.reason = info.reason();
        details.info = std::move(info);
      }
    } else if (any.Is<google::rpc::BadRequest>()) {
      any.UnpackTo(&details.bad_request);
    }
  }
  return details;
}

std::string FlagOf(const std::string& field) {
  // Core names settings without the message that holds them.
  for (const std::string& path : {field, "connection." + field}) {
    for (const FieldFlag& known : kFlags) {
      if (known.field == path) return std::string(known.flag);
    }
  }
  return field;
}

std::string SettingFlag(std::string_view field) {
  return FlagOf("connection." + std::string(field));
}

int ExitCodeOf(const grpc::Status& status, bool connected) {
  if (Unreachable(status, connected)) return kUnreachable;
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return kDone;
    case grpc::StatusCode::NOT_FOUND:
      return kNotFound;
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
      return kNotPermitted;
    default:
      return kRefused;
  }
}

void ReportError(std::ostream& err, const grpc::Status& status, const std::string& server,
                 bool connected) {
  if (Unreachable(status, connected)) return ReportUnreachable(err, status, server);
  const ErrorDetails details = DetailsOf(status);
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    err << "pollerctl: the server did not answer in time\n  hint: allow more with --timeout\n";
    return;
  }
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    err << fmt::format(
        "pollerctl: the server at {} does not know this command: it is older, or not pollerd\n",
        Printable(server));
    return;
  }
  const auto& violations = details.bad_request.field_violations();
  if (violations.empty()) {
    err << fmt::format("pollerctl: {}\n", PrintableLines(status.error_message()));
  } else {
    err << "pollerctl: the server refused:\n";
    for (const auto& violation : violations) {
      err << fmt::format("  {}: {}\n", Printable(FlagOf(violation.field())),
                         Printable(violation.description()));
    }
  }
  if (const std::string_view hint = HintFor(details); !hint.empty())
    err << fmt::format("  hint: {}\n", hint);
}

}  // namespace poller::client
