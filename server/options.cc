#include "server/options.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/base/url.h"
#include "server/listen_address.h"

namespace poller {
namespace {

absl::Status Bad(std::string_view what) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, what);
}

absl::Status SetPath(std::filesystem::path& target, const std::string& text) {
  if (text.empty()) return Bad("must not be empty");
  target = text;
  return absl::OkStatus();
}

absl::Status SetSwitch(bool& target, const std::string& text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") {
    target = true;
  } else if (text == "false" || text == "0" || text == "no" || text == "off") {
    target = false;
  } else {
    return Bad("expected true or false");
  }
  return absl::OkStatus();
}

absl::Status SetInt(int& target, const std::string& text, int low, int high) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    return Bad("expected a whole number from " + std::to_string(low) + " to " +
               std::to_string(high));
  }
  target = value;
  return absl::OkStatus();
}

absl::Status SetShare(double& target, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value < 1)) {
    return Bad("expected a number from 0 to less than 1, such as 0.1");
  }
  target = value;
  return absl::OkStatus();
}

absl::Status SetDuration(absl::Duration& target, const std::string& text, absl::Duration low,
                         absl::Duration high) {
  ASSIGN_OR_RETURN(const absl::Duration value, ParseDuration(text));
  if (value < low || value > high) {
    return Bad("must be between " + poller::FormatDuration(low) + " and " +
               poller::FormatDuration(high));
  }
  target = value;
  return absl::OkStatus();
}

absl::Status SetBytes(std::int64_t& target, const std::string& text, std::int64_t low) {
  ASSIGN_OR_RETURN(const std::int64_t value, ParseBytes(text));
  if (value < low) return Bad("must be at least " + FormatBytes(low));
  target = value;
  return absl::OkStatus();
}

absl::Status AddListen(Options& options, const std::string& text) {
  const auto address = ListenAddress::Parse(text);
  if (!address.ok()) return address.status();
  options.listen.push_back(text);
  return absl::OkStatus();
}

absl::Status SetWebhookUrl(Options& options, const std::string& text) {
  const auto url = ParseUrl(text);
  if (!url.ok()) return url.status();
  options.default_webhook_url = text;
  return absl::OkStatus();
}

absl::Status SetOdooRate(Options& options, const std::string& text) {
  options.odoo_rate.reset();
  if (text == "auto") return absl::OkStatus();
  double rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  const bool number = error == std::errc() && end == text.data() + text.size();
  if (!number || !(rate == 0 || (rate >= 0.1 && rate <= 1000))) {
    return Bad("must be auto, 0, or calls a second between 0.1 and 1000");
  }
  options.odoo_rate = rate;
  return absl::OkStatus();
}

absl::Status AddEgress(Options& options, const std::string& text) {
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    ASSIGN_OR_RETURN(Cidr range, Cidr::Parse(std::string_view(text).substr(start, end - start)));
    options.egress.allow.push_back(range);
    start = end + 1;
  }
  return absl::OkStatus();
}

template <class T, class Parse>
absl::Status SetParsed(T& target, const std::string& text, Parse parse) {
  ASSIGN_OR_RETURN(target, parse(text));
  return absl::OkStatus();
}

constexpr absl::Duration kSecond = absl::Seconds(1);
constexpr absl::Duration kDay = absl::Hours(24);

using Text = const std::string&;

std::vector<Setting> MakeSettings() {
  return {
      {"--data-dir", "DIR", "./data",
       "where the database, the key and the first token are kept; made if it is missing", false,
       [](Options& o, Text t) { return SetPath(o.data_dir, t); }},
      {"--db-path", "FILE", "poller.db in the data folder", "the database", false,
       [](Options& o, Text t) { return SetPath(o.db_path, t); }},
      {"--encryption-key-file", "FILE", "encryption.key in the data folder",
       "the key that seals secrets; POLLER_ENCRYPTION_KEY may hold the key itself instead", false,
       [](Options& o, Text t) { return SetPath(o.encryption_key_file, t); }},
      {"--listen", "ADDRESS", kDefaultListen,
       "HOST:PORT or unix:PATH to serve on; port 0 picks one", true, AddListen},
      {"--tls-cert", "FILE", "none",
       "certificate chain (PEM) to serve with; read again when it changes", false,
       [](Options& o, Text t) { return SetPath(o.tls_cert, t); }},
      {"--tls-key", "FILE", "none", "its private key (PEM)", false,
       [](Options& o, Text t) { return SetPath(o.tls_key, t); }},
      {"--tls-client-ca", "FILE", "none",
       "ask clients for a certificate that one of these (PEM) signed", false,
       [](Options& o, Text t) { return SetPath(o.tls_client_ca, t); }},
      {"--insecure-listen", "", "off",
       "serve without TLS beyond loopback: tokens travel in clear text", false,
       [](Options& o, Text t) { return SetSwitch(o.insecure_listen, t); }},
      {"--default-webhook-url", "URL", "none", "where connections deliver that name no URL", false,
       SetWebhookUrl},
      {"--egress-allow", "CIDR", "none", "a private or loopback range that connections may reach",
       true, AddEgress},
      {"--egress-allow-http", "", "off", "allow plain http to public addresses", false,
       [](Options& o, Text t) { return SetSwitch(o.egress.allow_http, t); }},
      {"--odoo-ca", "FILE", "the system's", "certificates (PEM) to trust towards Odoo", false,
       [](Options& o, Text t) { return SetPath(o.odoo_ca, t); }},
      {"--webhook-ca", "FILE", "the system's", "certificates (PEM) to trust towards receivers",
       false, [](Options& o, Text t) { return SetPath(o.webhook_ca, t); }},
      {"--odoo-rate", "CALLS", "auto",
       "calls a second to one Odoo, 0.1 to 1000, or 0 for no limit, where a connection does not "
       "say; auto: 1 for *.odoo.com, no limit for others",
       false, SetOdooRate},
      {"--threads", "N", "one a core", "threads that map and compute", false,
       [](Options& o, Text t) { return SetInt(o.threads, t, 1, 1024); }},
      {"--max-requests", "N", "4096", "requests in flight, of each side", false,
       [](Options& o, Text t) { return SetInt(o.max_requests, t, 1, 65536); }},
      {"--deliveries-per-connection", "N", "8",
       "requests in flight to the receiver of one connection", false,
       [](Options& o, Text t) { return SetInt(o.deliveries_per_connection, t, 1, 1000); }},
      {"--calls-per-token", "N", "100", "calls of one token under way at a time", false,
       [](Options& o, Text t) { return SetInt(o.calls_per_token, t, 1, 10000); }},
      {"--streams-per-token", "N", "1000", "streams of one token open at a time", false,
       [](Options& o, Text t) { return SetInt(o.streams_per_token, t, 1, 100000); }},
      {"--response-budget", "BYTES", "256MiB",
       "memory for all answers together; one server gets at most a fifth of it, so that greedy "
       "ones leave room for others",
       false, [](Options& o, Text t) { return SetBytes(o.response_budget, t, 1 << 20); }},
      {"--max-response", "BYTES", "32MiB",
       "size of one answer, decompressed; at most a fifth of --response-budget", false,
       [](Options& o, Text t) { return SetBytes(o.max_response, t, 64 << 10); }},
      {"--overlap", "DURATION", "5m",
       "how far each poll looks back, where a connection does not say", false,
       [](Options& o, Text t) { return SetDuration(o.overlap, t, absl::Seconds(10), kDay); }},
      {"--sweep-interval", "DURATION", "1h",
       "how often each shop is compared over a longer time, behind the polls", false,
       [](Options& o, Text t) { return SetDuration(o.sweep_interval, t, absl::Minutes(1), kDay); }},
      {"--sweep-window", "DURATION", "48h",
       "how far back that looks at least; after a stop, back to the last one", false,
       [](Options& o, Text t) {
         return SetDuration(o.sweep_window, t, absl::Hours(1), 90 * kDay);
       }},
      {"--retry-base", "DURATION", "30s",
       "wait before the first repeat of a delivery; doubles each time", false,
       [](Options& o, Text t) {
         return SetDuration(o.retry.base, t, absl::Milliseconds(100), kDay);
       }},
      {"--retry-max", "DURATION", "10m", "longest such wait", false,
       [](Options& o, Text t) {
         return SetDuration(o.retry.max, t, absl::Milliseconds(100), kDay);
       }},
      {"--retry-jitter", "SHARE", "0.1", "share by which waits are spread", false,
       [](Options& o, Text t) { return SetShare(o.retry.jitter, t); }},
      {"--retry-max-attempts", "N", "5", "refusals of one order until it is a dead letter", false,
       [](Options& o, Text t) { return SetInt(o.retry_max_attempts, t, 1, 1000); }},
      {"--breaker-failures", "N", "5", "failures in a row until a circuit breaker opens", false,
       [](Options& o, Text t) { return SetInt(o.breaker.failures, t, 1, 1000); }},
      {"--breaker-open", "DURATION", "2m", "how long it stays open until a probe", false,
       [](Options& o, Text t) {
         return SetDuration(o.breaker.open, t, absl::Milliseconds(100), kDay);
       }},
      {"--breaker-successes", "N", "2", "probes that must succeed until it closes", false,
       [](Options& o, Text t) { return SetInt(o.breaker.successes, t, 1, 1000); }},
      {"--odoo-timeout", "DURATION", "30s", "longest call of an Odoo", false,
       [](Options& o, Text t) { return SetDuration(o.odoo_timeout, t, kSecond, absl::Hours(1)); }},
      {"--webhook-timeout", "DURATION", "20s", "longest call of a receiver", false,
       [](Options& o, Text t) {
         return SetDuration(o.webhook_timeout, t, kSecond, absl::Hours(1));
       }},
      {"--retention-events", "DURATION", "7d", "how long events are kept", false,
       [](Options& o, Text t) {
         return SetDuration(o.retention_events, t, absl::Hours(1), 3650 * kDay);
       }},
      {"--retention-logs", "DURATION", "30d",
       "how long sync logs are kept; at most 1,000 a connection", false,
       [](Options& o, Text t) {
         return SetDuration(o.retention_logs, t, absl::Hours(1), 3650 * kDay);
       }},
      {"--retention-ledger", "DURATION", "90d",
       "how long revisions that are over and attempts are kept", false,
       [](Options& o, Text t) {
         return SetDuration(o.retention_ledger, t, absl::Hours(1), 3650 * kDay);
       }},
      {"--min-free-disk", "BYTES", "512MiB",
       "polling stops when less of the database's disk is free, and deliveries go on; 0: never",
       false, [](Options& o, Text t) { return SetBytes(o.min_free_disk, t, 0); }},
      {"--shutdown-grace", "DURATION", "25s", "how long a stop waits for requests in flight", false,
       [](Options& o, Text t) {
         return SetDuration(o.shutdown_grace, t, absl::ZeroDuration(), absl::Hours(1));
       }},
      {"--log-level", "LEVEL", "info", "debug, info, warning or error", false,
       [](Options& o, Text t) { return SetParsed(o.log_level, t, ParseLogLevel); }},
      {"--log-format", "FORMAT", "logfmt", "logfmt or json", false,
       [](Options& o, Text t) { return SetParsed(o.log_format, t, ParseLogFormat); }},
  };
}

}  // namespace

std::string Setting::Variable() const {
  std::string name = "POLLER_" + std::string(flag.substr(2));
  for (char& c : name) {
    if (c == '-') {
      c = '_';
    } else if (c >= 'a' && c <= 'z') {
      c = static_cast<char>(c - 'a' + 'A');
    }
  }
  return name;
}

const std::vector<Setting>& Settings() {
  static const auto* const settings = new std::vector<Setting>(MakeSettings());
  return *settings;
}

std::filesystem::path Options::DbPath() const {
  return db_path.empty() ? data_dir / "poller.db" : db_path;
}

std::filesystem::path Options::KeyFile() const {
  return encryption_key_file.empty() ? data_dir / "encryption.key" : encryption_key_file;
}

std::filesystem::path Options::AdminTokenFile() const { return data_dir / "admin.token"; }

std::vector<std::string> Options::Listen() const {
  return listen.empty() ? std::vector<std::string>{std::string(kDefaultListen)} : listen;
}

int Options::Threads() const {
  return threads > 0 ? threads
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

absl::Status Options::Validate() const {
  if (tls_cert.empty() != tls_key.empty())
    return Bad("--tls-cert and --tls-key belong together: give both or neither");
  if (!tls_client_ca.empty() && tls_cert.empty())
    return Bad("--tls-client-ca needs --tls-cert and --tls-key");
  if (retry.base > retry.max) return Bad("--retry-base must not exceed --retry-max");
  if (max_response > response_budget)
    return Bad("--max-response must not exceed --response-budget");
  if (!encryption_key.empty() && !encryption_key_file.empty()) {
    return Bad("--encryption-key-file and POLLER_ENCRYPTION_KEY are both given: give one");
  }
  for (const std::string& text : Listen()) {
    ASSIGN_OR_RETURN(const ListenAddress address, ListenAddress::Parse(text));
    if (!address.IsLocal() && tls_cert.empty() && !insecure_listen) {
      return Bad("--listen " + text +
                 " can be reached from other machines, and tokens would travel in clear text: give "
                 "--tls-cert and --tls-key, or "
                 "--insecure-listen if the network is trusted");
    }
  }
  return absl::OkStatus();
}

}  // namespace poller
