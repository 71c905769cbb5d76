// A simulated Odoo server: several databases behind JSON-RPC (up to 21) and JSON-2 (from 19 on),
// answering as the recordings of real ones do (tests/data/odoo). No recording shows 16 and 22: they
// are 17 and 19 with the differences that Odoo's documentation tells. Usable without sockets through `Handle`, with any clocks, or
// behind `Serve`.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "tests/support/http_server.h"
#include "tests/support/http_types.h"
#include "tests/support/odoo_database.h"
#include "tests/support/odoo_dispatch.h"
#include "tests/support/odoo_faults.h"

namespace poller::test {

// One call as it was understood.
struct OdooCall {
  std::string db;            // "" for calls about no database
  std::string model;         // "" for those of the common service
  std::string method;        // "search_read"; "authenticate", "version"
  std::int64_t records = 0;  // ids given to a read, else 0
};

// Thread-safe.
class OdooSim {
 public:
  struct Options {
    int version = 17;  // 16 to 22
    std::function<absl::Time()> web_clock =
        nullptr;  // of the Date header; the machine's when empty
    std::function<absl::Time()> database_clock =
        nullptr;  // of write_date; the web server's when empty
    // What a password hash costs: `authenticate` answers that much later.
    absl::Duration authenticate_cost = absl::ZeroDuration();
  };
  OdooSim() : OdooSim(Options()) {}
  explicit OdooSim(Options options);

  // A new database with the basics and the user "admin" / "admin-key" (uid 2), unless `seed` is
  // off. It lives as long as this.
  SimDatabase& AddDatabase(const std::string& name, bool seed = true);
  // A PostgreSQL database that is no Odoo.
  void AddForeignDatabase(const std::string& name);
  // Aborts if there is none.
  SimDatabase& db(const std::string& name);
  std::vector<std::string> DatabaseNames() const;
  // Another version over the same data: what an upgrade leaves behind. Waits for the calls that run;
  // do not call it from the hook. No transaction may be open.
  void SetVersion(int version);
  // JSON-RPC answers as if its route were gone, or is there again, whatever the version.
  void SetJsonRpc(bool there) { json_rpc_ = there; }

  TestReply Handle(const TestRequest& request);
  TestReply Handle(const std::string& method, const std::string& path, const HttpHeaders& headers,
                   const std::string& body);
  // On a free port of 127.0.0.1, with the web clock. This must outlive it.
  std::unique_ptr<HttpServer> Serve();

  FaultBoard& faults() { return faults_; }
  // Called before each call runs, with no lock held: the place to change data between two calls of
  // a client.
  void SetBeforeCall(std::function<void(const OdooCall&)> hook);
  // All calls so far; `ClearCalls` forgets them.
  std::vector<OdooCall> Calls() const;
  void ClearCalls();

  // For the codecs. Each throws OdooError.
  int version() const { return version_; }
  const Options& options() const { return options_; }
  // OperationalError for an unknown one, KeyError for one that is no Odoo.
  SimDatabase& NeedDatabase(const std::string& name);
  // Notes the call, runs the hook, and gives the faults that hold for it.
  std::vector<OdooFault> BeginCall(const OdooCall& call);
  CallResult ExecuteAs(const std::string& db, RecordId uid, const std::string& secret,
                       const ModelCall& call);

 private:
  TestReply Route(const TestRequest& request);
  bool HasJsonRpc() const { return json_rpc_ && version() < 22; }
  bool HasJson2() const { return version() >= 19; }

  Options options_;
  std::atomic<int> version_;
  std::atomic<bool> json_rpc_ = true;
  std::shared_mutex calling_;  // shared by the calls that run
  FaultBoard faults_;
  mutable std::mutex mu_;
  std::map<std::string, std::unique_ptr<SimDatabase>> databases_ ABSL_GUARDED_BY(mu_);
  std::function<void(const OdooCall&)> hook_ ABSL_GUARDED_BY(mu_);
  std::vector<OdooCall> calls_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller::test
