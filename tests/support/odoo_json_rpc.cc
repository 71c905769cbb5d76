#include "tests/support/odoo_json_rpc.h"

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

// What the `params` of a request ask for.
struct Params {
  std::string service;
  std::string method;
  json::array args;
};

std::string TextOf(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : "";
}

std::string TextAt(const json::array& args, std::size_t index) {
  return index < args.size() ? TextOf(args[index]) : "";
}

// Python's words for missing parameters: "'a'", "'a' and 'b'", "'a', 'b', and 'c'".
std::string MissingArguments(const std::string& function, const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += names.size() == 2 ? " and " : i + 1 == names.size() ? ", and " : ", ";
    list += "'" + names[i] + "'";
  }
  return function + "() missing " + std::to_string(names.size()) + " required positional argument" +
         (names.size() == 1 ? ": " : "s: ") + list;
}

void NeedArguments(const std::string& function, const json::array& args,
                   const std::vector<std::string>& names) {
  if (args.size() >= names.size()) return;
  throw TypeError(MissingArguments(
      function, {names.begin() + static_cast<std::ptrdiff_t>(args.size()), names.end()}));
}

Params ReadParams(const json::object& root, int version) {
  const json::value* given = root.if_contains("params");
  const json::object params =
      given != nullptr && given->is_object() ? given->get_object() : json::object();
  std::vector<std::string> missing;
  for (const char* name : {"service", "method", "args"}) {
    if (!params.contains(name)) missing.emplace_back(name);
  }
  if (!missing.empty()) {
    throw TypeError(MissingArguments(version >= 19 ? "JSONRPC.jsonrpc" : "RPC.jsonrpc", missing));
  }
  Params out{TextOf(params.at("service")), TextOf(params.at("method")), {}};
  if (params.at("args").is_array()) out.args = params.at("args").get_array();
  return out;
}

OdooCall Describe(const Params& params) {
  if (params.service == "object") {
    OdooCall call{TextAt(params.args, 0), TextAt(params.args, 3), TextAt(params.args, 4)};
    const bool reads = call.method == "read" || call.method == "web_read";
    if (reads && params.args.size() > 5 && params.args[5].is_array() &&
        !params.args[5].get_array().empty() && params.args[5].get_array()[0].is_array()) {
      call.records = static_cast<std::int64_t>(params.args[5].get_array()[0].get_array().size());
    }
    return call;
  }
  const bool about_database = params.service == "common" && params.method != "version";
  return {about_database ? TextAt(params.args, 0) : "", "", params.method};
}

json::value VersionOf(int version) {
  const std::string serie = std::to_string(version) + ".0";
  const std::string build = version == 16   ? "-20231127"
                            : version == 17 ? "-20240709"
                            : version == 18 ? "-20250702"
                                            : "";
  return {{"server_version", serie + build},
          {"server_version_info", {version, 0, 0, "final", 0, ""}},
          {"server_serie", serie},
          {"protocol_version", 1}};
}

CallResult Common(OdooSim& server, const Params& params, const std::vector<OdooFault>& faults) {
  CallResult result;
  if (params.method == "version") {
    RaiseFaults(faults);
    result.value = VersionOf(server.version());
    return result;
  }
  if (params.method != "authenticate" && params.method != "login") {
    throw OdooError("builtins.Exception", "Method not found: " + params.method);
  }
  if (params.method == "login") {
    NeedArguments("exp_login", params.args, {"db", "login", "password"});
  } else {
    NeedArguments("exp_authenticate", params.args, {"db", "login", "password", "user_agent_env"});
  }
  const SimDatabase& database = server.NeedDatabase(TextAt(params.args, 0));
  RecordId uid = 0;
  try {
    RaiseFaults(faults);
    uid = database.Authenticate(TextAt(params.args, 1), TextAt(params.args, 2));
  } catch (const OdooError& error) {
    // A refused login is an answer, not an error.
    if (error.name() != "odoo.exceptions.AccessDenied") throw;
  }
  result.delay = server.options().authenticate_cost;
  result.value = uid == 0 ? json::value(false) : json::value(uid);
  return result;
}

CallResult Object(OdooSim& server, const Params& params, const std::vector<OdooFault>& faults) {
  if (params.method != "execute_kw" && params.method != "execute") {
    throw OdooError("builtins.NameError", "Method not available " + params.method);
  }
  if (params.args.size() < 5) throw OdooError("builtins.IndexError", "list index out of range");
  RaiseFaults(faults);
  ModelCall call{TextAt(params.args, 3), TextAt(params.args, 4), {}, {}};
  if (params.method == "execute") {
    call.args = json::array(params.args.begin() + 5, params.args.end());
  } else {
    if (params.args.size() > 5 && params.args[5].is_array()) call.args = params.args[5].get_array();
    if (params.args.size() > 6 && params.args[6].is_object())
      call.kwargs = params.args[6].get_object();
  }
  const RecordId uid = params.args[1].is_int64() ? params.args[1].get_int64() : 0;
  return server.ExecuteAs(TextAt(params.args, 0), uid, TextAt(params.args, 2), call);
}

CallResult Dispatch(OdooSim& server, const Params& params, const std::vector<OdooFault>& faults) {
  if (params.service == "common") return Common(server, params, faults);
  if (params.service == "object") return Object(server, params, faults);
  if (params.service == "db" && params.method == "list") {
    CallResult result;
    json::array names;
    for (const std::string& name : server.DatabaseNames()) names.push_back(json::value(name));
    result.value = names;
    return result;
  }
  throw OdooError("builtins.KeyError", params.service);
}

json::value ErrorBody(const OdooError& error, int version) {
  return {{"code", version >= 19 ? 0 : 200},
          {"message", "Odoo Server Error"},
          {"data",
           {{"name", error.name()},
            {"debug",
             "Traceback (most recent call last):\n  File \"/opt/odoo/odoo/http.py\", line 1784, in "
             "_serve_db\n    return service_model.retrying(self._serve_ir_http, self.env)\n" +
                 error.name() + ": " + error.message() + "\n"},
            {"message", error.message()},
            {"arguments", {error.message()}},
            {"context", json::object()}}}};
}

bool IsJsonType(const std::string& type) {
  const std::string media = type.substr(0, type.find(';'));
  return media == "application/json" || media == "application/json-rpc";
}

TestReply PlainHtml(int status, std::string text) {
  TestReply reply = HtmlReply(status, "");
  reply.body = std::move(text);
  return reply;
}

// What is answered before anything of the request is understood; `root` is set when it is.
std::optional<TestReply> RefuseEarly(int version, const TestRequest& request, json::object& root) {
  if (request.method != "POST" || !IsJsonType(request.headers.Get("Content-Type"))) {
    return version >= 19 ? HtmlReply(415, "415 Unsupported Media Type")
                         : HtmlReply(400, "400 Bad Request");
  }
  boost::system::error_code failed;
  json::value body = json::parse(request.body, failed);
  if (failed) return PlainHtml(400, "Invalid JSON data");
  if (!body.is_object()) return PlainHtml(400, "Invalid JSON-RPC data");
  root = std::move(body.get_object());
  return std::nullopt;
}

}  // namespace

TestReply AnswerJsonRpc(OdooSim& server, const TestRequest& request) {
  json::object root;
  if (std::optional<TestReply> refused = RefuseEarly(server.version(), request, root)) {
    const std::vector<OdooFault> faults = server.faults().Take("", "", "");
    if (std::optional<TestReply> instead = ReplyInstead(faults)) return *std::move(instead);
    return *std::move(refused);
  }
  const json::value* id = root.if_contains("id");
  json::object answer = {{"jsonrpc", "2.0"}, {"id", id == nullptr ? json::value() : *id}};
  CallResult result;
  std::vector<OdooFault> faults;
  try {
    const Params params = ReadParams(root, server.version());
    faults = server.BeginCall(Describe(params));
    if (std::optional<TestReply> instead = ReplyInstead(faults)) return *std::move(instead);
    result = Dispatch(server, params, faults);
    if (result.value.has_value()) answer["result"] = *std::move(result.value);
  } catch (const OdooError& error) {
    answer["error"] = ErrorBody(error, server.version());
  }
  if (result.hangs) return HangReply();
  TestReply reply = JsonReply(200, PyJson(answer));
  reply.delay = result.delay;
  BendReply(faults, reply);
  return reply;
}

}  // namespace poller::test
