#include "tests/support/odoo_json2.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/odoo_error.h"
#include "tests/support/odoo_sim.h"
#include "tests/support/py_json.h"

namespace poller::test {
namespace {

namespace json = boost::json;

constexpr std::string_view kRoot = "/json/2/";
constexpr std::string_view kSearches[] = {"search", "search_read", "search_count",
                                          "web_search_read", "fields_get"};

OdooError Werkzeug(const std::string& name, const std::string& message) {
  return {"werkzeug.exceptions." + name, message};
}

int StatusOf(const OdooError& error) {
  constexpr std::pair<std::string_view, int> kStatuses[] = {
      {"werkzeug.exceptions.BadRequest", 400}, {"werkzeug.exceptions.Unauthorized", 401},
      {"werkzeug.exceptions.NotFound", 404},   {"werkzeug.exceptions.UnprocessableEntity", 422},
      {"odoo.exceptions.AccessDenied", 401},   {"odoo.exceptions.AccessError", 403},
      {"odoo.exceptions.MissingError", 404},   {"odoo.exceptions.UserError", 422},
  };
  for (const auto& [name, status] : kStatuses) {
    if (error.name() == name) return status;
  }
  return 500;
}

TestReply ErrorReply(const OdooError& error) {
  json::array arguments = {error.message()};
  const int status = StatusOf(error);
  if (error.name().starts_with("werkzeug.")) arguments.push_back(status);
  const json::object body = {{"name", error.name()},
                             {"message", error.message()},
                             {"arguments", std::move(arguments)},
                             {"context", json::object()},
                             {"debug", "Traceback (most recent call last):\n" + error.name()}};
  return JsonReply(status, PyJson(body));
}

// No such database, several without the header, or PostgreSQL is down.
TestReply NoDatabase() {
  TestReply reply = HtmlReply(404, "404 Not Found");
  reply.body += "<p>No database is selected.</p>\n";
  return reply;
}

bool StartsWithWord(const std::string& text, std::string_view word) {
  return text.size() > word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
           return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
         });
}

// The words that JSON-2 has for what Python says of a call.
OdooError Translate(const OdooError& error, const std::string& model) {
  constexpr std::string_view kMissing = "required positional argument: ";
  const std::string message = error.message();
  const std::size_t missing = message.find(kMissing);
  if (error.name() == "builtins.TypeError" && missing != std::string::npos) {
    return Werkzeug("UnprocessableEntity",
                    "missing a required argument: " + message.substr(missing + kMissing.size()));
  }
  if (error.name() == "builtins.AttributeError" && message.starts_with("The method '")) {
    return Werkzeug("NotFound", message);
  }
  if (error.name() == "odoo.exceptions.UserError" && message.starts_with("Object ")) {
    return Werkzeug("NotFound", "the model '" + model + "' does not exist");
  }
  if (error.name() == "odoo.exceptions.AccessDenied") {
    return Werkzeug("Unauthorized", "Invalid apikey");
  }
  return error;
}

ModelCall ReadCall(std::string model, std::string method, json::object body) {
  ModelCall call{std::move(model), std::move(method), {}, {}};
  const bool is_search =
      std::find(std::begin(kSearches), std::end(kSearches), call.method) != std::end(kSearches);
  if (const json::value* ids = body.if_contains("ids")) {
    if (is_search) {
      throw Werkzeug("UnprocessableEntity",
                     "cannot call " + call.model + "." + call.method + " with ids");
    }
    call.args.push_back(ids->is_array() ? *ids : json::value(json::array()));
    body.erase("ids");
  } else if (!is_search && call.method != "context_get") {
    call.args.push_back(json::array());
  }
  // The one method that the simulator takes by position.
  if (call.method == "write" && body.contains("vals")) {
    call.args.push_back(body.at("vals"));
    body.erase("vals");
  }
  call.kwargs = std::move(body);
  return call;
}

// The model and the method of "/json/2/sale.order/read".
std::pair<std::string, std::string> SplitPath(const TestRequest& request) {
  const std::string rest = request.path.starts_with(kRoot) ? request.path.substr(kRoot.size()) : "";
  const std::size_t slash = rest.find('/');
  if (request.method != "POST" || slash == std::string::npos || slash + 1 == rest.size()) {
    throw Werkzeug("NotFound", "Did you mean POST /json/2/<model>/<method>?");
  }
  return {rest.substr(0, slash), rest.substr(slash + 1)};
}

json::object ReadBody(const TestRequest& request) {
  if (request.body.empty()) return {};
  boost::system::error_code failed;
  json::value body = json::parse(request.body, failed);
  if (failed) {
    throw Werkzeug("BadRequest", "could not parse the body as json: " + failed.message());
  }
  return body.is_object() ? std::move(body.get_object()) : json::object();
}

SimUser NeedUser(const SimDatabase& database, const TestRequest& request) {
  const std::string authorization = request.headers.Get("Authorization");
  constexpr std::string_view kBearer = "bearer ";
  if (!StartsWithWord(authorization, kBearer)) {
    throw Werkzeug("Unauthorized",
                   "User not authenticated, use an API Key with a Bearer Authorization header.");
  }
  const auto user = database.FindUserByKey(authorization.substr(kBearer.size()));
  if (!user.has_value()) throw Werkzeug("Unauthorized", "Invalid apikey");
  return *user;
}

std::string DatabaseOf(const OdooSim& server, const TestRequest& request) {
  const std::string named = request.headers.Get("X-Odoo-Database");
  const std::vector<std::string> all = server.DatabaseNames();
  return named.empty() && all.size() == 1 ? all.front() : named;
}

bool IsJsonType(const TestRequest& request) {
  return request.headers.Get("Content-Type").starts_with("application/json");
}

// Odoo looks for its database before it looks at anything else.
bool IsReachable(OdooSim& server, const std::string& name, const std::vector<OdooFault>& faults) {
  try {
    server.NeedDatabase(name);
  } catch (const OdooError&) {
    return false;
  }
  return std::none_of(faults.begin(), faults.end(), [](const OdooFault& fault) {
    return fault.kind == OdooFault::Kind::kPostgresDown;
  });
}

}  // namespace

TestReply AnswerWebVersion(OdooSim& server) {
  const std::vector<OdooFault> faults = server.BeginCall({"", "", "version"});
  if (std::optional<TestReply> instead = ReplyInstead(faults)) return *std::move(instead);
  const int version = server.version();
  TestReply reply =
      JsonReply(200, PyJson(json::object{{"version_info", {version, 0, 0, "final", 0, ""}},
                                         {"version", std::to_string(version) + ".0"}}));
  BendReply(faults, reply);
  return reply;
}

TestReply AnswerJson2(OdooSim& server, const TestRequest& request) {
  const std::string name = DatabaseOf(server, request);
  CallResult result;
  std::vector<OdooFault> faults;
  TestReply reply;
  try {
    const auto [model, method] = SplitPath(request);
    OdooCall described{name, model, method};
    json::object body;
    if (IsJsonType(request)) {
      body = ReadBody(request);
      const json::value* ids = body.if_contains("ids");
      if (ids != nullptr && ids->is_array()) {
        described.records = static_cast<std::int64_t>(ids->get_array().size());
      }
    }
    faults = server.BeginCall(described);
    if (std::optional<TestReply> instead = ReplyInstead(faults)) return *std::move(instead);
    if (!IsReachable(server, name, faults)) return NoDatabase();
    if (!IsJsonType(request)) return HtmlReply(415, "415 Unsupported Media Type");
    SimDatabase& database = server.NeedDatabase(name);
    RaiseFaults(faults);
    const SimUser user = NeedUser(database, request);
    result = Execute(database, user, ReadCall(model, method, std::move(body)));
    reply = JsonReply(200, PyJson(result.value.value_or(json::value())));
  } catch (const OdooError& error) {
    const std::size_t slash = request.path.rfind('/');
    const std::string model = request.path.starts_with(kRoot)
                                  ? request.path.substr(kRoot.size(), slash - kRoot.size())
                                  : "";
    reply = ErrorReply(Translate(error, model));
  }
  if (result.hangs) return HangReply();
  reply.delay = result.delay;
  BendReply(faults, reply);
  return reply;
}

}  // namespace poller::test
