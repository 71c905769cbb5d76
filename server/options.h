// What an operator may set about pollerd.
//
// One table (options.cc) holds every setting: its flag, its variable, its default and its meaning.
// The command line, the environment and `--help` are read from it, so that they cannot differ.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "core/delivery/backoff.h"
#include "core/http/egress_policy.h"
#include "core/model/circuit_breaker.h"

namespace poller {

inline constexpr std::string_view kDefaultListen = "127.0.0.1:50051";

// How the ends of a quiet connection learn that the other is still there.
struct KeepaliveOptions {
  absl::Duration silence = absl::Seconds(60);   // a client that is silent so long is asked
  absl::Duration patience = absl::Seconds(20);  // and given up if it does not answer
  absl::Duration least_between_pings = absl::Seconds(10);  // of a client, also without a call
};

struct Options {
  std::filesystem::path data_dir = "./data";
  std::filesystem::path db_path;              // empty: poller.db in data_dir
  std::filesystem::path encryption_key_file;  // empty: encryption.key in data_dir
  Secret encryption_key;                      // from the environment alone; empty: the file

  std::vector<std::string> listen;  // HOST:PORT, [IPV6]:PORT or unix:PATH; empty: kDefaultListen
  std::filesystem::path tls_cert, tls_key, tls_client_ca;
  bool insecure_listen = false;

  std::string default_webhook_url;
  EgressPolicy egress;
  std::filesystem::path odoo_ca, webhook_ca;  // empty: the system's

  int threads = 0;  // 0: one a core
  int max_requests = 4096;
  int deliveries_per_connection = 8;
  int calls_per_token = 100;
  int streams_per_token = 1000;
  std::int64_t response_budget = 256 << 20;  // bytes
  std::int64_t max_response = 32 << 20;      // bytes

  absl::Duration overlap = absl::Minutes(5);
  absl::Duration sweep_interval = absl::Hours(1);
  absl::Duration sweep_window = absl::Hours(48);
  std::optional<double> odoo_rate;  // unset: auto
  BackoffOptions retry;
  int retry_max_attempts = 5;
  BreakerOptions breaker;
  absl::Duration odoo_timeout = absl::Seconds(30);
  absl::Duration webhook_timeout = absl::Seconds(20);
  absl::Duration retention_events = absl::Hours(24 * 7);
  absl::Duration retention_logs = absl::Hours(24 * 30);
  absl::Duration retention_ledger = absl::Hours(24 * 90);
  std::int64_t min_free_disk = 512 << 20;  // bytes; 0: never low
  absl::Duration shutdown_grace = absl::Seconds(25);

  // Without flags: nobody needs another value, save tests that will not wait.
  absl::Duration tls_reload = absl::Seconds(30);  // between two looks at the files; 1 s and more
  absl::Duration longest_refusal = absl::Seconds(5);  // of a wrong token
  KeepaliveOptions keepalive;

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;

  std::filesystem::path DbPath() const;
  std::filesystem::path KeyFile() const;
  std::filesystem::path AdminTokenFile() const;
  std::vector<std::string> Listen() const;
  int Threads() const;

  // Checks what concerns more than one setting. kInvalidArgument names the flags.
  absl::Status Validate() const;
};

// One setting, as the command line, the environment and the help see it.
struct Setting {
  std::string_view flag;     // "--retry-base"
  std::string_view value;    // what the help calls its value, "DURATION"; empty: a switch
  std::string_view initial;  // the default as the help shows it
  std::string_view help;
  bool repeatable = false;  // the flag may come often; the variable separates with commas
  // kInvalidArgument says what is wrong with `text`, without naming the flag.
  absl::Status (*apply)(Options& options, const std::string& text);

  std::string Variable() const;  // "POLLER_RETRY_BASE"
  bool IsSwitch() const { return value.empty(); }
};
const std::vector<Setting>& Settings();

// The variable that holds the key itself. It has no flag: arguments can be read by every user of
// the machine.
inline constexpr std::string_view kKeyVariable = "POLLER_ENCRYPTION_KEY";

}  // namespace poller
