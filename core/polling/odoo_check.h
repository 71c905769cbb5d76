// The Odoo side of a connection test.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/model/connection.h"
#include "core/odoo/odoo_client.h"
#include "core/polling/ingest_lane.h"
#include "core/polling/polling_options.h"

namespace poller {

// How to call a connection's Odoo.
odoo::Target TargetOf(const ConnectionSettings& settings, const PollingOptions& options);

// Goes through what a poll needs, step by step, and says what it saw and what to do. After a step
// that everything behind it needs has failed, the rest is skipped. Records nothing. Used once, by
// one coroutine; everything passed in outlives it.
class OdooCheck {
 public:
  OdooCheck(HttpClient& http, const Clock& clock, const PollingOptions& options,
            std::shared_ptr<IngestLane> turn, ConnectionSettings settings);
  Task<std::vector<TestStep>> Run();

 private:
  Task<bool> Reach();
  Task<bool> Version();
  Task<bool> Login();
  Task<bool> Rights();
  Task<void> Read();
  void Clocks();

  void ReachFailed(const absl::Status& status, absl::Duration took);
  void Reached(const HttpResponse& response);
  void Add(std::string name, TestStep::Result result, absl::Duration took, std::string detail,
           std::string hint = "");
  bool Report(std::string name, const absl::Status& status, absl::Duration took,
              std::string detail);
  void SkipRest();

  HttpClient& http_;
  const Clock& clock_;
  std::shared_ptr<IngestLane> turn_;
  ConnectionSettings settings_;
  odoo::Target target_;
  odoo::Client client_;
  std::vector<TestStep> steps_;
  std::string newest_write_date_;
};

}  // namespace poller
