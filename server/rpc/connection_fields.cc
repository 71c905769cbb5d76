#include "server/rpc/connection_fields.h"

#include <optional>

#include "server/rpc/convert_common.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;
using From = const v1::Connection&;
using To = ConnectionSettings&;
using Bad = std::vector<FieldViolation>&;
using Settings = const ConnectionSettings&;

constexpr std::size_t kMaxPem = 256 << 10;

absl::Duration ReadDuration(const std::string& field, bool given,
                            const google::protobuf::Duration& value, absl::Duration initial,
                            Bad bad) {
  if (!given) return initial;
  const auto duration = poller::rpc::FromProto(value);
  if (duration) return *duration;
  bad.push_back({field, "is not a duration: nanoseconds are out of range or of the other sign"});
  return initial;
}

void CheckPem(const std::string& field, const std::string& pem, Bad bad) {
  if (pem.empty()) return;
  if (pem.size() > kMaxPem) {
    bad.push_back({field, "is longer than 256 KiB"});
  } else if (pem.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    bad.push_back(
        {field,
         "holds no certificate: expected PEM, which begins with -----BEGIN CERTIFICATE-----"});
  }
}

void ReadOverlap(From from, To to, Bad bad) {
  to.overlap =
      ReadDuration("overlap", from.has_overlap(), from.overlap(), absl::ZeroDuration(), bad);
  // Zero means the server's default in settings; in a request that is what leaving it out means.
  if (from.has_overlap() && to.overlap == absl::ZeroDuration()) {
    bad.push_back({"overlap", "must be between 10s and 1d, or unset for the server's default"});
  }
}

void ReadProtocol(From from, To to, Bad bad) {
  switch (from.odoo().protocol()) {
    case v1::ODOO_PROTOCOL_UNSPECIFIED:
    case v1::ODOO_PROTOCOL_AUTO:
      to.odoo.protocol = OdooProtocol::kAuto;
      return;
    case v1::ODOO_PROTOCOL_JSONRPC:
      to.odoo.protocol = OdooProtocol::kJsonRpc;
      return;
    case v1::ODOO_PROTOCOL_JSON2:
      to.odoo.protocol = OdooProtocol::kJson2;
      return;
    default:
      bad.push_back({"odoo.protocol", "must be AUTO, JSONRPC or JSON2"});
  }
}

void ReadCompanies(From from, To to, Bad bad) {
  to.odoo.company_ids.assign(from.odoo().company_ids().begin(), from.odoo().company_ids().end());
  for (const std::int64_t id : to.odoo.company_ids) {
    if (id > 0) continue;
    bad.push_back({"odoo.company_ids", "must be ids of companies: positive numbers"});
    return;
  }
}

void ReadRate(From from, To to, Bad) { to.odoo.rate = from.odoo().rate(); }

std::vector<ConnectionField> MakeFields() {
  return {
      {"name", [](From f, To t, Bad) { t.name = f.name(); },
       [](Settings a, Settings b) { return a.name == b.name; }},
      {"external_id", [](From f, To t, Bad) { t.external_id = f.external_id(); },
       [](Settings a, Settings b) { return a.external_id == b.external_id; }},
      {"odoo.url", [](From f, To t, Bad) { t.odoo.url = f.odoo().url(); },
       [](Settings a, Settings b) { return a.odoo.url == b.odoo.url; }, false, true},
      {"odoo.database", [](From f, To t, Bad) { t.odoo.database = f.odoo().database(); },
       [](Settings a, Settings b) { return a.odoo.database == b.odoo.database; }, false, true},
      {"odoo.username", [](From f, To t, Bad) { t.odoo.username = f.odoo().username(); },
       [](Settings a, Settings b) { return a.odoo.username == b.odoo.username; }, false, true},
      {"odoo.api_key", [](From f, To t, Bad) { t.odoo.api_key = Secret(f.odoo().api_key()); },
       [](Settings a, Settings b) { return a.odoo.api_key == b.odoo.api_key; }, true, true},
      {"odoo.protocol", ReadProtocol,
       [](Settings a, Settings b) { return a.odoo.protocol == b.odoo.protocol; }},
      {"odoo.company_ids", ReadCompanies,
       [](Settings a, Settings b) { return a.odoo.company_ids == b.odoo.company_ids; }, false,
       true},
      {"odoo.ca_pem",
       [](From f, To t, Bad bad) {
         t.odoo.ca_pem = f.odoo().ca_pem();
         CheckPem("odoo.ca_pem", t.odoo.ca_pem, bad);
       },
       [](Settings a, Settings b) { return a.odoo.ca_pem == b.odoo.ca_pem; }},
      {"odoo.rate", ReadRate, [](Settings a, Settings b) { return a.odoo.rate == b.odoo.rate; }},
      {"webhook.url", [](From f, To t, Bad) { t.webhook.url = f.webhook().url(); },
       [](Settings a, Settings b) { return a.webhook.url == b.webhook.url; }},
      {"webhook.secret", [](From f, To t, Bad) { t.webhook.secret = Secret(f.webhook().secret()); },
       [](Settings a, Settings b) { return a.webhook.secret == b.webhook.secret; }, true},
      {"webhook.legacy_secret_header",
       [](From f, To t, Bad) {
         t.webhook.legacy_secret_header = f.webhook().legacy_secret_header();
       },
       [](Settings a, Settings b) {
         return a.webhook.legacy_secret_header == b.webhook.legacy_secret_header;
       }},
      {"webhook.ca_pem",
       [](From f, To t, Bad bad) {
         t.webhook.ca_pem = f.webhook().ca_pem();
         CheckPem("webhook.ca_pem", t.webhook.ca_pem, bad);
       },
       [](Settings a, Settings b) { return a.webhook.ca_pem == b.webhook.ca_pem; }},
      {"interval",
       [](From f, To t, Bad bad) {
         t.interval = ReadDuration("interval", f.has_interval(), f.interval(),
                                   ConnectionSettings{}.interval, bad);
       },
       [](Settings a, Settings b) { return a.interval == b.interval; }},
      {"overlap", ReadOverlap, [](Settings a, Settings b) { return a.overlap == b.overlap; }},
      {"line_interval",
       [](From f, To t, Bad bad) {
         t.line_interval = ReadDuration("line_interval", f.has_line_interval(), f.line_interval(),
                                        ConnectionSettings{}.line_interval, bad);
       },
       [](Settings a, Settings b) { return a.line_interval == b.line_interval; }},
      {"track_age",
       [](From f, To t, Bad bad) {
         t.track_age = ReadDuration("track_age", f.has_track_age(), f.track_age(),
                                    ConnectionSettings{}.track_age, bad);
       },
       [](Settings a, Settings b) { return a.track_age == b.track_age; }},
      {"send_cancelled", [](From f, To t, Bad) { t.send_cancelled = f.send_cancelled(); },
       [](Settings a, Settings b) { return a.send_cancelled == b.send_cancelled; }},
      {"send_every_touch", [](From f, To t, Bad) { t.send_every_touch = f.send_every_touch(); },
       [](Settings a, Settings b) { return a.send_every_touch == b.send_every_touch; }},
  };
}

}  // namespace

const std::vector<ConnectionField>& ConnectionFields() {
  static const auto* const fields = new std::vector<ConnectionField>(MakeFields());
  return *fields;
}

void ReadInitialFields(From from, To to, absl::Time now, Bad violations) {
  const auto start = StartFrom::Parse(from.start_from());
  if (!start.ok()) {
    violations.push_back({"start_from", std::string(Message(start.status()))});
  } else if (start->kind == StartFrom::Kind::kTime && start->time > now) {
    violations.push_back({"start_from", "lies in the future"});
  } else {
    to.start_from = *start;
  }
  to.paused_polling = from.paused_polling();
  to.paused_delivery = from.paused_delivery();
}

}  // namespace poller::rpc
