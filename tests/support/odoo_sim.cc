#include "tests/support/odoo_sim.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "core/base/clock.h"
#include "tests/support/odoo_error.h"
#include "tests/support/odoo_json2.h"
#include "tests/support/odoo_json_rpc.h"

namespace poller::test {

OdooSim::OdooSim(Options options) : options_(std::move(options)), version_(options_.version) {
  if (!options_.web_clock) options_.web_clock = [] { return SystemClock().Now(); };
  if (!options_.database_clock) options_.database_clock = options_.web_clock;
}

SimDatabase& OdooSim::AddDatabase(const std::string& name, bool seed) {
  auto database = std::make_unique<SimDatabase>(SimDatabase::Options{
      .name = name, .version = version(), .clock = options_.database_clock, .seed = seed});
  const std::lock_guard lock(mu_);
  return *(databases_[name] = std::move(database));
}

void OdooSim::AddForeignDatabase(const std::string& name) {
  auto database = std::make_unique<SimDatabase>(SimDatabase::Options{
      .name = name, .version = version(), .clock = options_.database_clock, .is_odoo = false});
  const std::lock_guard lock(mu_);
  databases_[name] = std::move(database);
}

SimDatabase& OdooSim::db(const std::string& name) {
  const std::lock_guard lock(mu_);
  const auto found = databases_.find(name);
  if (found == databases_.end()) {
    std::fprintf(stderr, "simulated Odoo: there is no database %s\n", name.c_str());
    std::abort();
  }
  return *found->second;
}

void OdooSim::SetVersion(int version) {
  const std::unique_lock nobody_calls(calling_);
  const std::lock_guard lock(mu_);
  version_ = version;
  for (auto& [name, database] : databases_) database->Upgrade(version);
}

std::vector<std::string> OdooSim::DatabaseNames() const {
  const std::lock_guard lock(mu_);
  std::vector<std::string> names;
  for (const auto& [name, database] : databases_) names.push_back(name);
  return names;
}

SimDatabase& OdooSim::NeedDatabase(const std::string& name) {
  const std::lock_guard lock(mu_);
  const auto found = databases_.find(name);
  if (found == databases_.end()) {
    throw OdooError(
        "psycopg2.OperationalError",
        "connection to server at \"127.0.0.1\", port 55432 failed: FATAL:  database \"" + name +
            "\" does not exist\n");
  }
  if (!found->second->is_odoo()) throw OdooError("builtins.KeyError", "res.users");
  return *found->second;
}

std::vector<OdooFault> OdooSim::BeginCall(const OdooCall& call) {
  std::function<void(const OdooCall&)> hook;
  {
    const std::lock_guard lock(mu_);
    calls_.push_back(call);
    hook = hook_;
  }
  if (hook) hook(call);
  return faults_.Take(call.db, call.model, call.method);
}

CallResult OdooSim::ExecuteAs(const std::string& db, RecordId uid, const std::string& secret,
                              const ModelCall& call) {
  SimDatabase& database = NeedDatabase(db);
  const std::optional<SimUser> user = database.FindUser(uid);
  if (uid != 0 && !secret.empty() && !user.has_value()) {
    const std::string id = std::to_string(uid);
    throw OdooError("odoo.exceptions.MissingError",
                    "Record does not exist or has been deleted.\n(Record: res.users(" + id +
                        ",), User: " + id + ")");
  }
  if (!user.has_value() || !database.CheckSecret(uid, secret)) {
    throw OdooError("odoo.exceptions.AccessDenied", "Access Denied");
  }
  return Execute(database, *user, call);
}

void OdooSim::SetBeforeCall(std::function<void(const OdooCall&)> hook) {
  const std::lock_guard lock(mu_);
  hook_ = std::move(hook);
}

std::vector<OdooCall> OdooSim::Calls() const {
  const std::lock_guard lock(mu_);
  return calls_;
}

void OdooSim::ClearCalls() {
  const std::lock_guard lock(mu_);
  calls_.clear();
}

TestReply OdooSim::Route(const TestRequest& request) {
  // One codec a protocol; each is a function of the server and the request.
  if (request.path == "/jsonrpc" && HasJsonRpc()) return AnswerJsonRpc(*this, request);
  if (request.path.starts_with("/json/2") && HasJson2()) return AnswerJson2(*this, request);
  if (request.path == "/web/version" && HasJson2()) return AnswerWebVersion(*this);
  const std::vector<OdooFault> faults = faults_.Take("", "", "");
  if (std::optional<TestReply> instead = ReplyInstead(faults)) return *std::move(instead);
  TestReply reply = HtmlReply(404, "Odoo");
  reply.headers.Set("Content-Type", "text/html;charset=utf-8");
  BendReply(faults, reply);
  return reply;
}

TestReply OdooSim::Handle(const TestRequest& request) {
  TestReply reply;
  {
    const std::shared_lock calling(calling_);
    reply = Route(request);
  }
  if (!reply.headers.Has("Server")) reply.headers.Add("Server", "Werkzeug/2.2.2 Python/3.11.2");
  if (reply.send_date && !reply.headers.Has("Date")) {
    reply.headers.Add("Date", FormatHttpDate(options_.web_clock()));
  }
  return reply;
}

TestReply OdooSim::Handle(const std::string& method, const std::string& path,
                          const HttpHeaders& headers, const std::string& body) {
  TestRequest request;
  request.method = method;
  request.path = path;
  request.headers = headers;
  request.body = body;
  return Handle(request);
}

std::unique_ptr<HttpServer> OdooSim::Serve() {
  HttpServer::Options options;
  options.date_clock = options_.web_clock;
  auto server = HttpServer::Start(
      std::move(options),
      HttpServer::Immediate([this](const TestRequest& request) { return Handle(request); }));
  if (!server.ok()) {
    std::fprintf(stderr, "simulated Odoo: %s\n", server.status().ToString().c_str());
    std::abort();
  }
  return *std::move(server);
}

}  // namespace poller::test
