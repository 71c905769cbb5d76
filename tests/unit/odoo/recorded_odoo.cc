#include "tests/unit/odoo/recorded_odoo.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "core/odoo/json2.h"
#include "core/odoo/json_rpc.h"
#include "tests/support/test_data.h"
#include "tests/unit/odoo/scripted_http.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

std::string Text(const json::value& value) { return std::string(value.as_string().c_str()); }

// The recordings that hold the rows of a model.
constexpr std::pair<const char*, const char*> kRowFiles[] = {
    {"sale.order", "51-sale_order-search_read.json"},
    {"sale.order.line", "55-sale_order_line-read.json"},
    {"product.product", "57-product_product-read-nohs.json"},
    {"res.partner", "58-res_partner-read.json"},
    {"res.currency", "61-res_currency-search_read.json"},
    {"product.template.attribute.value", "62-ptav-read.json"},
};

// What the fields of a nested read refer to; "": only names of it are known.
constexpr std::pair<const char*, const char*> kRelations[] = {
    {"partner_id", "res.partner"},
    {"partner_shipping_id", "res.partner"},
    {"parent_id", "res.partner"},
    {"order_line", "sale.order.line"},
    {"product_id", "product.product"},
    {"product_tmpl_id", "product.template"},
    {"product_template_attribute_value_ids", "product.template.attribute.value"},
};

std::string RelationOf(std::string_view field) {
  for (const auto& [name, model] : kRelations) {
    if (name == field) return model;
  }
  return "";
}

bool ListHolds(const json::array& list, const json::value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool Holds(const json::object& row, const json::array& condition) {
  const json::value& value = row.at(condition[0].as_string());
  const std::string op = Text(condition[1]);
  const json::value& other = condition[2];
  if (op == "in") return ListHolds(other.as_array(), value);
  if (op == ">") return value.as_int64() > other.as_int64();
  if (op == ">=") return value.as_string() >= other.as_string();
  Die("an operator that the poller does not use: " + op);
}

json::object Cut(const json::object& row, const json::array& fields,
                 const json::object* unrecorded) {
  json::object cut;
  cut["id"] = row.at("id");
  for (const json::value& field : fields) {
    const json::value* value = row.if_contains(field.as_string());
    if (value == nullptr && unrecorded != nullptr)
      value = unrecorded->if_contains(field.as_string());
    if (value == nullptr) Die("no recording has the field " + Text(field));
    cut[field.as_string()] = *value;
  }
  return cut;
}

}  // namespace

std::string ReadTestFile(const std::string& path) {
  std::ifstream in(test::TestData() / path, std::ios::binary);
  if (!in) Die("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

Recording LoadRecording(const std::string& name) {
  const json::value file = json::parse(ReadTestFile("odoo/" + name));
  const json::object& response = file.at("response").as_object();
  Recording recording;
  recording.name = name;
  if (const json::value* body = file.at("request").as_object().if_contains("body")) {
    recording.request_body = *body;
  }
  recording.status = static_cast<int>(response.at("status").as_int64());
  recording.content_type = Text(response.at("content_type"));
  recording.body = response.at("body");
  return recording;
}

std::vector<Recording> LoadRecordings(const std::string& version) {
  std::vector<std::string> names;
  const std::filesystem::path folder = test::TestData() / "odoo" / version;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(version + "/" + entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  std::vector<Recording> recordings;
  for (const std::string& name : names) recordings.push_back(LoadRecording(name));
  return recordings;
}

std::unique_ptr<Codec> MakeCodec(const Recording& recording) {
  const Secret key("a-secret-key");
  if (recording.name.starts_with("19-json2/")) {
    return std::make_unique<Json2Codec>("https://shop.example", "shop1", key);
  }
  return std::make_unique<JsonRpcCodec>("https://shop.example", "shop1", "poller", key);
}

HttpResponse AnswerTo(const Recording& recording, std::int64_t id) {
  json::value body = recording.body;
  json::object* object = body.if_object();
  if (object != nullptr && object->contains("jsonrpc")) (*object)["id"] = id;
  const bool is_json = recording.content_type.find("json") != std::string::npos;
  return MakeResponse(recording.status, recording.content_type,
                      is_json ? json::serialize(body) : Text(body));
}

json::object ErrorAnswer(const std::string& name, const std::string& message) {
  json::object data, error, answer;
  data["name"] = name;
  data["message"] = message;
  data["debug"] = "Traceback (most recent call last): hush-hush";
  error["code"] = 200;
  error["message"] = "Odoo Server Error";
  error["data"] = data;
  answer["jsonrpc"] = "2.0";
  answer["error"] = error;
  return answer;
}

RecordedOdoo::RecordedOdoo(const std::string& version) : version_(version) {
  for (const auto& [model, file] : kRowFiles) {
    const Recording recording = LoadRecording(version + "/" + file);
    for (const json::value& row : recording.body.at("result").as_array()) {
      rows_[model].push_back(row.as_object());
    }
    database_ = Text(recording.request_body.at("params").at("args").at(0));
  }
  const json::value written = json::parse(ReadTestFile("odoo/handwritten/" + version + ".json"));
  for (const auto& [model, names] : written.at("fields").as_object()) {
    for (const json::value& name : names.as_array())
      fields[std::string(model)].push_back(Text(name));
  }
  for (const auto& [model, rows] : written.at("records").as_object()) {
    for (const json::value& row : rows.as_array()) {
      rows_[std::string(model)].push_back(row.as_object());
    }
  }
  unrecorded_ = written.at("unrecorded").as_object();
}

int RecordedOdoo::Count(const std::string& call) const {
  return static_cast<int>(std::count(calls.begin(), calls.end(), call));
}

void RecordedOdoo::FailNext(const std::string& call, json::object error_answer) {
  failures_.emplace_back(call, std::move(error_answer));
}

std::string RecordedOdoo::UnknownField(const std::string& model, const json::object& kwargs) const {
  const std::vector<std::string>& known = fields.at(model);
  for (const json::value& field : kwargs.at("fields").as_array()) {
    if (std::find(known.begin(), known.end(), Text(field)) == known.end()) return Text(field);
  }
  return "";
}

json::value RecordedOdoo::FieldsGet(const std::string& model, const json::object& kwargs) const {
  json::object answer;
  for (const json::value& name : kwargs.at("allfields").as_array()) {
    const std::vector<std::string>& known = fields.at(model);
    if (std::find(known.begin(), known.end(), Text(name)) == known.end()) continue;
    json::object description;
    description["type"] = "char";
    answer[name.as_string()] = description;
  }
  return answer;
}

std::vector<json::object> RecordedOdoo::Select(const Question& question) const {
  const auto& [model, method, ids, kwargs] = question;
  const json::value* unrecorded = unrecorded_.if_contains(model);
  const json::array& wanted = kwargs.at("fields").as_array();
  std::vector<json::object> rows;
  for (const json::object& row : rows_.at(model)) {
    bool fits = true;
    if (method == "read") {
      fits = ListHolds(ids, row.at("id"));
    } else {
      for (const json::value& condition : kwargs.at("domain").as_array()) {
        fits = fits && Holds(row, condition.as_array());
      }
    }
    if (fits) {
      rows.push_back(Cut(row, wanted, unrecorded == nullptr ? nullptr : &unrecorded->as_object()));
    }
  }
  const json::value* limit = kwargs.if_contains("limit");
  if (limit != nullptr && rows.size() > static_cast<std::size_t>(limit->as_int64())) {
    rows.resize(static_cast<std::size_t>(limit->as_int64()));
  }
  return rows;
}

// One row as web_read gives it: the fields of the specification, with what they refer to inside.
json::value RecordedOdoo::Nested(const std::string& model, const json::object& row,
                                 const json::object& specification) const {
  const auto value_of = [&](json::string_view field) -> const json::value& {
    const json::value* value = row.if_contains(field);
    const json::value* more = unrecorded_.if_contains(model);
    if (value == nullptr && more != nullptr) value = more->as_object().if_contains(field);
    if (value == nullptr) Die("no recording has the field " + std::string(field));
    return *value;
  };
  const auto inner = [&](std::string_view field, const json::value& id,
                         const json::object& wanted) -> json::value {
    const std::string relation = RelationOf(field);
    for (const json::object& other : rows_.at(relation)) {
      if (other.at("id") == id) return Nested(relation, other, wanted);
    }
    // Of products that have a code no recording shows the template, nor does it matter.
    if (relation != "product.template") Die("no recording has that record of " + relation);
    json::object bare;
    bare["id"] = id;
    for (const auto& [name, how] : wanted) bare[name] = false;
    return bare;
  };
  json::object out;
  out["id"] = row.at("id");
  for (const auto& [field, how] : specification) {
    const json::value* wanted = how.as_object().if_contains("fields");
    // The name of a record that is referred to is added by whoever refers to it.
    if (wanted == nullptr && field == "display_name" && !row.contains("display_name")) continue;
    const json::value& value = value_of(field);
    if (wanted == nullptr || value.is_bool()) {
      out[field] = value;
    } else if (const std::string relation = RelationOf(field);
               value.as_array().size() == 2 && value.at(1).is_string()) {
      json::object target;
      if (relation.empty()) {
        target["id"] = value.at(0);
      } else {
        target = inner(field, value.at(0), wanted->as_object()).as_object();
      }
      if (wanted->as_object().contains("display_name")) target["display_name"] = value.at(1);
      out[field] = std::move(target);
    } else {
      json::array list;
      for (const json::value& id : value.as_array()) {
        list.push_back(inner(field, id, wanted->as_object()));
      }
      out[field] = std::move(list);
    }
  }
  return out;
}

json::value RecordedOdoo::WebRead(const Question& question) {
  if (!nested) {
    return ErrorAnswer("builtins.AttributeError",
                       "The method 'web_read' does not exist on the model 'sale.order'");
  }
  std::vector<json::object> rows;
  for (const json::object& row : rows_.at(question.model)) {
    if (!ListHolds(question.ids, row.at("id"))) continue;
    rows.push_back(Nested(question.model, row, question.arguments.at("specification").as_object())
                       .as_object());
  }
  if (touch) touch(question.model + "." + question.method, rows);
  json::array list;
  for (json::object& row : rows) list.emplace_back(std::move(row));
  json::object answer;
  answer["result"] = std::move(list);
  return answer;
}

json::value RecordedOdoo::Execute(const Question& question) {
  const auto& [model, method, ids, kwargs] = question;
  if (method == "fields_get") {
    json::object answer;
    answer["result"] = FieldsGet(model, kwargs);
    return answer;
  }
  if (method == "web_read") return WebRead(question);
  const std::string unknown = UnknownField(model, kwargs);
  if (!unknown.empty()) {
    return ErrorAnswer("builtins.ValueError", "Invalid field '" + unknown + "' on '" + model + "'");
  }
  std::vector<json::object> rows = Select(question);
  if (touch) touch(model + "." + method, rows);
  json::array list;
  for (json::object& row : rows) list.emplace_back(std::move(row));
  json::object answer;
  answer["result"] = std::move(list);
  return answer;
}

json::value RecordedOdoo::TakeFailure(const std::string& call) {
  calls.push_back(call);
  const auto failure = std::find_if(failures_.begin(), failures_.end(),
                                    [&](const auto& planned) { return planned.first == call; });
  if (failure == failures_.end()) return json::value();
  json::value answer = failure->second;
  failures_.erase(failure);
  return answer;
}

HttpResponse RecordedOdoo::AnswerJsonRpc(const HttpRequest& request) {
  const json::value question = json::parse(request.body);
  const json::object& params = question.at("params").as_object();
  const json::array& args = params.at("args").as_array();
  const bool is_object = params.at("service").as_string() == "object";
  const std::string call =
      is_object ? Text(args.at(3)) + "." + Text(args.at(4)) : Text(params.at("method"));
  json::value answer = TakeFailure(call);
  if (!answer.is_null()) {
  } else if (call == "authenticate") {
    answer = LoadRecording(version_ + "/03-authenticate-apikey.json").body;
  } else if (call == "version") {
    answer = LoadRecording(version_ + "/01-version.json").body;
  } else {
    const json::array& positional = args.at(5).as_array();
    answer = Execute({Text(args.at(3)), Text(args.at(4)),
                      positional.empty() ? json::array() : positional.at(0).as_array(),
                      args.at(6).as_object()});
  }
  answer.as_object()["jsonrpc"] = "2.0";
  answer.as_object()["id"] = question.at("id");
  return MakeResponse(200, "application/json; charset=utf-8", json::serialize(answer));
}

HttpResponse RecordedOdoo::AnswerJson2(const HttpRequest& request) {
  if (request.url.ends_with("/web/version")) {
    calls.push_back("web/version");
    return MakeResponse(200, "application/json",
                        R"({"version_info":[19,0,0,"final",0,""],"version":"19.0"})");
  }
  std::string call = request.url.substr(request.url.find("/json/2/") + 8);
  const std::size_t slash = call.find('/');
  Question question{
      call.substr(0, slash), call.substr(slash + 1), {}, json::parse(request.body).as_object()};
  call[slash] = '.';
  const json::value failure = TakeFailure(call);
  if (!takes_key) return AnswerTo(LoadRecording("19-json2/04-bad-key.json"), 0);
  if (call == "res.users.context_get") {
    return AnswerTo(LoadRecording("19-json2/103-res.users-context_get-poller.json"), 0);
  }
  if (const json::value* ids = question.arguments.if_contains("ids")) {
    question.ids = ids->as_array();
    question.arguments.erase("ids");
  }
  const json::value answer = failure.is_null() ? Execute(question) : failure;
  if (const json::value* error = answer.as_object().if_contains("error")) {
    return MakeResponse(500, "application/json", json::serialize(error->at("data")));
  }
  return MakeResponse(200, "application/json; charset=utf-8", json::serialize(answer.at("result")));
}

HttpResponse RecordedOdoo::Answer(const HttpRequest& request) {
  const bool is_json_rpc = request.url.ends_with("/jsonrpc");
  HttpResponse response;
  if (is_json_rpc && has_json_rpc) {
    response = AnswerJsonRpc(request);
  } else if (!is_json_rpc && version_ == "19") {
    response = AnswerJson2(request);
  } else {
    response = AnswerTo(LoadRecording(version_ + "/43-http-404.json"), 0);
    calls.push_back("404");
  }
  response.headers.push_back({"Date", date});
  return response;
}

}  // namespace poller::odoo
