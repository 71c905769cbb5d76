#include "server/commands/check.h"

#include <cstdio>
#include <string>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/random_source.h"
#include "core/base/status.h"
#include "core/crypto/hash.h"
#include "server/commands/open_database.h"
#include "server/files.h"

namespace poller {
namespace {

void Say(const std::string& line) { std::printf("%s\n", line.c_str()); }

absl::Status CheckFiles(const Options& options) {
  RETURN_IF_ERROR(ReadCertificates("--odoo-ca", options.odoo_ca));
  RETURN_IF_ERROR(ReadCertificates("--webhook-ca", options.webhook_ca));
  RETURN_IF_ERROR(ReadCertificates("--tls-cert", options.tls_cert));
  return ReadCertificates("--tls-client-ca", options.tls_client_ca).status();
}

absl::Status CheckDatabase(const Options& options, Logger& log) {
  if (SqliteStorage::IsNew(options.DbPath())) {
    Say("database: none yet, " + options.DbPath().string() + " is made at the first start");
    return absl::OkStatus();
  }
  Metrics metrics;
  ASSIGN_OR_RETURN(const auto storage, OpenDatabase(options, /*create=*/false, SystemClock(),
                                                    SystemRandom(), metrics, log));
  ASSIGN_OR_RETURN(const StorageTotals totals, storage->status().Totals());
  Say("key: opens the database");
  Say("database: " + options.DbPath().string() +
      ", connections: " + std::to_string(totals.connections));
  return absl::OkStatus();
}

}  // namespace

absl::Status RunCheck(const Options& options, Logger& log) {
  CryptoInit();
  RETURN_IF_ERROR(CheckFiles(options));
  Say("settings: well");
  return CheckDatabase(options, log);
}

}  // namespace poller
