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

std::vector<json::object> RecordedOdoo::Select(const std::string& model, const std::string& method,
                                               const json::array& positional,
                                               const json::object& kwargs) const {
  const json::value* unrecorded = unrecorded_.if_contains(model);
  const json::array& wanted = kwargs.at("fields").as_array();
  std::vector<json::object> rows;
  for (const json::object& row : rows_.at(model)) {
    bool fits = true;
    if (method == "read") {
      fits = ListHolds(positional.at(0).as_array(), row.at("id"));
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

json::value RecordedOdoo::Execute(const json::array& args) {
  const std::string model = Text(args.at(3));
  const std::string method = Text(args.at(4));
  const json::object& kwargs = args.at(6).as_object();
  if (method == "fields_get") {
    json::object answer;
    answer["result"] = FieldsGet(model, kwargs);
    return answer;
  }
  const std::string unknown = UnknownField(model, kwargs);
  if (!unknown.empty()) {
    return ErrorAnswer("builtins.ValueError", "Invalid field '" + unknown + "' on '" + model + "'");
  }
  std::vector<json::object> rows = Select(model, method, args.at(5).as_array(), kwargs);
  if (touch) touch(model + "." + method, rows);
  json::array list;
  for (json::object& row : rows) list.emplace_back(std::move(row));
  json::object answer;
  answer["result"] = std::move(list);
  return answer;
}

HttpResponse RecordedOdoo::Answer(const HttpRequest& request) {
  const json::value question = json::parse(request.body);
  const json::object& params = question.at("params").as_object();
  const json::array& args = params.at("args").as_array();
  const bool is_object = params.at("service").as_string() == "object";
  const std::string call =
      is_object ? Text(args.at(3)) + "." + Text(args.at(4)) : Text(params.at("method"));
  calls.push_back(call);
  const auto failure = std::find_if(failures_.begin(), failures_.end(),
                                    [&](const auto& planned) { return planned.first == call; });
  json::value answer;
  if (failure != failures_.end()) {
    answer = failure->second;
    failures_.erase(failure);
  } else if (call == "authenticate") {
    answer = LoadRecording(version_ + "/03-authenticate-apikey.json").body;
  } else if (call == "version") {
    answer = LoadRecording(version_ + "/01-version.json").body;
  } else {
    answer = Execute(args);
  }
  answer.as_object()["jsonrpc"] = "2.0";
  answer.as_object()["id"] = question.at("id");
  HttpResponse response =
      MakeResponse(200, "application/json; charset=utf-8", json::serialize(answer));
  response.headers.push_back({"Date", date});
  return response;
}

}  // namespace poller::odoo
