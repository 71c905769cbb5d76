#include "tests/unit/support/golden.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "tests/support/test_data.h"

namespace poller::test {
namespace {

namespace json = boost::json;

[[noreturn]] void Missing(const std::string& what) {
  std::fprintf(stderr, "no recording: %s\n", what.c_str());
  std::abort();
}

std::filesystem::path FindRecording(const std::string& of, const std::string& name) {
  const std::filesystem::path folder = TestData() / "odoo" / of;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(name + "-") || entry.path().stem() == name) {
      return entry.path();
    }
  }
  Missing(folder.string() + "/" + name);
}

// Records in which the others are found by id.
constexpr std::pair<const char*, const char*> kSources[] = {
    {"51", "sale.order"},
    {"55", "sale.order.line"},
    {"57", "product.product"},
    {"58", "res.partner"},
    {"59", "res.country"},
    {"60", "res.country.state"},
    {"61", "res.currency"},
    {"62", "product.template.attribute.value"},
    {"63", "product.attribute.custom.value"},
    {"64", "account.tax"},
};

// Puts a record of that name where a many2one points at one that no recording shows.
void AddTargets(SimDatabase& db, const ModelDef& model, const json::object& row,
                std::set<std::pair<std::string, RecordId>>& known) {
  for (const auto& [name, value] : row) {
    const FieldDef* field = model.Find(std::string_view(name));
    if (field == nullptr || field->type != FieldType::kMany2one || !value.is_array()) continue;
    const RecordId id = value.get_array()[0].as_int64();
    if (!known.emplace(field->relation, id).second) continue;
    db.Insert(field->relation, id, {{"name", value.get_array()[1]}});
  }
}

}  // namespace

Recording LoadRecording(int version, const std::string& name) {
  return LoadRecording(std::to_string(version), name);
}

Recording LoadRecording(const std::string& folder, const std::string& name) {
  const std::filesystem::path path = FindRecording(folder, name);
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const json::object root = json::parse(text).as_object();
  const json::object& request = root.at("request").as_object();
  const json::object& response = root.at("response").as_object();
  Recording recording;
  recording.name = path.stem().string();
  recording.request.method = std::string(request.at("method").as_string());
  recording.request.path = std::string(request.at("path").as_string());
  for (const auto& [key, value] : request.at("headers").as_object()) {
    recording.request.headers.Add(std::string_view(key), std::string_view(value.as_string()));
  }
  const json::value& body = request.at("body");
  recording.request.body =
      body.is_string() ? std::string(body.get_string()) : json::serialize(body);
  recording.status = static_cast<int>(response.at("status").as_int64());
  recording.content_type = std::string(response.at("content_type").as_string());
  recording.body = response.at("body");
  return recording;
}

std::string RecordedDatabase(int version) {
  return version == 17 ? "odoo_lab" : "odoo" + std::to_string(version) + "_lab";
}

std::unique_ptr<OdooSim> RecordedOdoo(int version) {
  auto sim = std::make_unique<OdooSim>(OdooSim::Options{.version = version});
  SimDatabase& db = sim->AddDatabase(RecordedDatabase(version), /*seed=*/false);
  db.AddUser({.login = "admin", .api_key = "<API_KEY_ADMIN>", .password = "admin", .uid = 2});
  db.AddUser({.login = "poller", .api_key = "<API_KEY_POLLER>", .uid = version >= 19 ? 7 : 8});
  db.AddUser({.login = "noaccess",
              .api_key = "<API_KEY_NOACCESS>",
              .rights = Rights::kNone,
              .uid = version >= 19 ? 8 : 9});
  std::vector<std::pair<const ModelDef*, json::object>> rows;
  std::set<std::pair<std::string, RecordId>> known;
  for (const auto& [number, model] : kSources) {
    const Recording recording = LoadRecording(version, number);
    for (const json::value& row : recording.body.at("result").as_array()) {
      const RecordId id = row.at("id").as_int64();
      db.Insert(model, id, row.as_object());
      known.emplace(model, id);
      rows.emplace_back(&db.schema().At(model), row.as_object());
    }
  }
  for (const auto& [model, row] : rows) AddTargets(db, *model, row, known);
  return sim;
}

json::value BodyOf(const TestReply& reply) {
  boost::system::error_code failed;
  json::value body = json::parse(reply.body, failed);
  if (failed) return json::value(reply.body);
  if (body.is_object()) {
    body.get_object().erase("debug");
    if (json::value* error = body.get_object().if_contains("error")) {
      error->at("data").as_object().erase("debug");
    }
  }
  return body;
}

}  // namespace poller::test
