#include "tests/support/odoo_dispatch.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/status.h"
#include "tests/support/odoo_error.h"
#include "tests/support/odoo_orm.h"
#include "tests/support/py_json.h"

namespace poller::test {
namespace {

namespace json = boost::json;

// Positional and keyword arguments bound to parameter names.
class Arguments {
 public:
  // The first `required` of `names` have no default.
  Arguments(const ModelCall& call, const std::string& function, std::size_t skip,
            std::initializer_list<std::string_view> names, std::size_t required) {
    if (call.args.size() > skip + names.size()) {
      throw TypeError(function + "() takes from " + std::to_string(required + 1) + " to " +
                      std::to_string(names.size() + 1) + " positional arguments but " +
                      std::to_string(call.args.size() - skip + 1) + " were given");
    }
    std::size_t at = skip;
    for (const std::string_view name : names) {
      if (at < call.args.size()) values_[name] = call.args[at++];
    }
    for (const auto& [key, value] : call.kwargs) {
      if (key == "context") continue;
      if (std::find(names.begin(), names.end(), std::string_view(key)) == names.end()) {
        throw TypeError(function + "() got an unexpected keyword argument '" + std::string(key) +
                        "'");
      }
      if (values_.contains(key)) {
        throw TypeError(function + "() got multiple values for argument '" + std::string(key) +
                        "'");
      }
      values_[key] = value;
    }
    for (std::size_t i = 0; i < required; ++i) {
      const std::string_view name = *(names.begin() + i);
      if (values_.contains(name)) continue;
      throw TypeError(function + "() missing 1 required positional argument: '" +
                      std::string(name) + "'");
    }
  }

  bool Has(std::string_view name) const { return values_.contains(name); }
  json::value Get(std::string_view name) const {
    const json::value* value = values_.if_contains(name);
    return value == nullptr ? json::value() : *value;
  }
  std::int64_t Number(std::string_view name) const {
    const json::value value = Get(name);
    return value.is_int64() ? value.get_int64() : 0;
  }
  std::string Text(std::string_view name) const {
    const json::value value = Get(name);
    return value.is_string() ? std::string(value.get_string()) : "";
  }

 private:
  json::object values_;
};

std::vector<RecordId> IdsOf(const json::value& value) {
  if (value.is_int64()) return {value.get_int64()};
  std::vector<RecordId> ids;
  if (value.is_array()) {
    for (const json::value& id : value.get_array()) {
      if (!id.is_int64())
        throw ValueError("Expected singleton: ids must be numbers, not " + PyRepr(id));
      ids.push_back(id.get_int64());
    }
  }
  return ids;
}

json::array ToJson(const std::vector<RecordId>& ids) { return json::array(ids.begin(), ids.end()); }

struct Scene {
  OdooOrm& orm;
  const ModelDef& model;
  const ModelCall& call;
  int version;
  RecordId uid;

  // The ids of a method that works on records.
  std::vector<RecordId> Self() const {
    if (call.args.empty()) throw OdooError("builtins.IndexError", "list index out of range");
    return IdsOf(call.args[0]);
  }
};

bool ClassicNames(const Arguments& args) {
  return !args.Has("load") || args.Text("load") == "_classic_read";
}

json::value Search(Scene& scene) {
  const Arguments args(scene.call, "BaseModel.search", 0, {"domain", "offset", "limit", "order"},
                       1);
  return ToJson(scene.orm.Search(scene.model, args.Get("domain"), args.Number("offset"),
                                 args.Number("limit"), args.Text("order")));
}

json::value SearchCount(Scene& scene) {
  const Arguments args(scene.call, "BaseModel.search_count", 0, {"domain", "limit"}, 1);
  return scene.orm.Search(scene.model, args.Get("domain"), 0, args.Number("limit"), "id").size();
}

json::value SearchRead(Scene& scene) {
  const Arguments args(scene.call, "BaseModel.search_read", 0,
                       {"domain", "fields", "offset", "limit", "order", "load"}, 0);
  const std::vector<RecordId> ids =
      scene.orm.Search(scene.model, args.Get("domain"), args.Number("offset"), args.Number("limit"),
                       args.Text("order"));
  return scene.orm.Read(scene.model, ids, args.Get("fields"), ClassicNames(args));
}

json::value Read(Scene& scene) {
  const std::vector<RecordId> ids = scene.Self();
  const Arguments args(scene.call, "BaseModel.read", 1, {"fields", "load"}, 0);
  return scene.orm.Read(scene.model, ids, args.Get("fields"), ClassicNames(args));
}

json::object Specification(const Arguments& args) {
  const json::value value = args.Get("specification");
  if (!value.is_object())
    throw OdooError("builtins.AttributeError", "'list' object has no attribute 'items'");
  return value.get_object();
}

json::value WebRead(Scene& scene) {
  const std::vector<RecordId> ids = scene.Self();
  const Arguments args(scene.call, "Base.web_read", 1, {"specification"}, 1);
  return scene.orm.WebRead(scene.model, ids, Specification(args));
}

json::value WebSearchRead(Scene& scene) {
  if (scene.version <= 16) {  // the older method of that name: flat
    const Arguments args(scene.call, "Base.web_search_read", 0,
                         {"domain", "fields", "offset", "limit", "order", "count_limit"}, 0);
    const std::vector<RecordId> ids =
        scene.orm.Search(scene.model, args.Get("domain"), args.Number("offset"),
                         args.Number("limit"), args.Text("order"));
    const std::size_t length = scene.orm.Search(scene.model, args.Get("domain"), 0, 0, "id").size();
    return {{"length", length},
            {"records", scene.orm.Read(scene.model, ids, args.Get("fields"), true)}};
  }
  const Arguments args(scene.call, "Base.web_search_read", 0,
                       {"domain", "specification", "offset", "limit", "order", "count_limit"}, 2);
  const json::object specification = Specification(args);
  const std::int64_t offset = args.Number("offset");
  const std::int64_t limit = args.Number("limit");
  const std::int64_t count_limit = args.Number("count_limit");
  const std::vector<RecordId> ids =
      scene.orm.Search(scene.model, args.Get("domain"), offset, limit, args.Text("order"));
  json::array records = scene.orm.WebRead(scene.model, ids, specification);
  // As Odoo counts: no second query where the page itself tells.
  auto length = static_cast<std::int64_t>(records.size());
  if (length > 0) {
    length += offset;
    const bool full = limit > 0 && static_cast<std::int64_t>(records.size()) == limit;
    if (full && !(count_limit > 0 && count_limit <= length)) {
      length = static_cast<std::int64_t>(
          scene.orm.Search(scene.model, args.Get("domain"), 0, count_limit, "id").size());
    }
  }
  return {{"length", length}, {"records", std::move(records)}};
}

json::value FieldsGet(Scene& scene) {
  const Arguments args(scene.call, "BaseModel.fields_get", 0, {"allfields", "attributes"}, 0);
  return scene.orm.FieldsGet(scene.model, args.Get("allfields"), args.Get("attributes"));
}

json::value CheckAccessRights(Scene& scene) {
  const Arguments args(scene.call, "BaseModel.check_access_rights", 0,
                       {"operation", "raise_exception"}, 1);
  const json::value raise = args.Get("raise_exception");
  if (!raise.is_bool() || raise.get_bool()) scene.orm.CheckMayRead(scene.model);
  return scene.orm.MayRead(scene.model);
}

json::value HasAccess(Scene& scene) {
  scene.Self();
  const Arguments args(scene.call, "BaseModel.has_access", 1, {"operation"}, 1);
  return scene.orm.MayRead(scene.model);
}

// A method of the class until 17, of one user since.
json::value HasGroup(Scene& scene) {
  const bool of_record = scene.version >= 18;
  if (of_record && scene.Self().size() != 1) throw ValueError("Expected singleton: res.users()");
  const Arguments args(scene.call, "Users.has_group", of_record ? 1 : 0, {"group_ext_id"}, 1);
  return scene.orm.HasGroup(args.Text("group_ext_id"));
}

json::value Exists(Scene& scene) {
  json::array there;
  for (const RecordId id : scene.Self()) {
    if (!scene.orm.Read(scene.model, {id}, {"id"}, false).empty()) there.push_back(id);
  }
  return there;
}

json::value ContextGet(Scene& scene) {
  json::object context = {{"lang", "en_US"}, {"tz", "UTC"}};
  if (scene.version >= 19) context["uid"] = scene.uid;
  return context;
}

struct Method {
  std::string_view name;
  json::value (*run)(Scene&);
  int first_version = 16;
  int last_version = 99;
};

constexpr Method kMethods[] = {
    {"search", Search},
    {"search_count", SearchCount},
    {"search_read", SearchRead},
    {"read", Read},
    {"fields_get", FieldsGet},
    {"web_search_read", WebSearchRead},
    {"web_read", WebRead, 17},
    {"check_access_rights", CheckAccessRights, 16, 18},
    {"has_access", HasAccess, 18},
    {"has_group", HasGroup},
    {"exists", Exists, 16, 18},
    {"context_get", ContextGet},
};

// Methods that write, on sale.order alone.
using Act = absl::Status (SimDatabase::*)(RecordId, Tx);
struct Action {
  std::string_view name;
  Act act;
  bool returns_true;  // else nothing: the answer has no result
};
constexpr Action kActions[] = {
    {"action_confirm", &SimDatabase::ConfirmOrder, true},
    {"action_cancel", &SimDatabase::CancelOrder, true},
    {"action_draft", &SimDatabase::DraftOrder, true},
    {"action_lock", &SimDatabase::LockOrder, false},
    {"action_unlock", &SimDatabase::UnlockOrder, false},
    {"unlink", &SimDatabase::DeleteOrder, true},
};

OdooError NoSuchMethod(const ModelCall& call, int version) {
  return {"builtins.AttributeError",
          version >= 18 ? "The method '" + call.model + "." + call.method + "' does not exist"
                        : "The method '" + call.method + "' does not exist on the model '" +
                              call.model + "'"};
}

OdooError PrivateMethod(const ModelCall& call, int version) {
  const std::string name = version >= 18 ? "'" + call.model + "." + call.method + "'" : call.method;
  return AccessError("Private methods (such as " + name + ") cannot be called remotely.");
}

void RaiseIfRefused(const absl::Status& status) {
  if (!status.ok()) throw UserError(std::string(Message(status)));
}

CallResult RunWrite(SimDatabase& database, const ModelCall& call) {
  if (call.args.size() < 2 || !call.args[1].is_object()) {
    throw TypeError(call.model + ".write() missing 1 required positional argument: 'vals'");
  }
  const ModelDef& model = database.schema().At(call.model);
  for (const auto& [name, value] : call.args[1].get_object()) {
    if (model.Find(std::string_view(name)) == nullptr) {
      throw ValueError("Invalid field '" + std::string(name) + "' on model '" + model.name + "'");
    }
  }
  for (const RecordId id : IdsOf(call.args[0])) {
    RaiseIfRefused(database.Write(call.model, id, call.args[1].get_object()));
  }
  return {.value = json::value(true), .delay = absl::ZeroDuration()};
}

// A call that changes something, if it is one.
std::optional<CallResult> TryAction(SimDatabase& database, const ModelCall& call) {
  if (call.method == "write") return RunWrite(database, call);
  if (call.model != "sale.order" || call.args.empty()) return std::nullopt;
  for (const Action& action : kActions) {
    if (action.name != call.method) continue;
    for (const RecordId id : IdsOf(call.args[0])) RaiseIfRefused((database.*action.act)(id, Tx{}));
    CallResult result;
    if (action.returns_true) result.value = json::value(true);
    return result;
  }
  return std::nullopt;
}

bool IsAction(const ModelCall& call) {
  return call.method == "write" ||
         std::any_of(std::begin(kActions), std::end(kActions),
                     [&](const Action& action) { return action.name == call.method; });
}

}  // namespace

CallResult Execute(SimDatabase& database, const SimUser& user, const ModelCall& call) {
  const int version = database.schema().version();
  const ModelDef* model = database.schema().Find(call.model);
  if (model == nullptr) throw UserError("Object " + call.model + " doesn't exist");
  if (call.method.starts_with("_") || (call.method == "exists" && version >= 19)) {
    throw PrivateMethod(call, version);
  }
  const json::value* given = call.kwargs.if_contains("context");
  const json::object context =
      given != nullptr && given->is_object() ? given->get_object() : json::object();
  CallResult result;
  const auto with_orm = [&](const std::function<void(OdooOrm&)>& use) {
    database.ReadOnly([&](const StoreView& view, const SimDatabase::Faults& faults) {
      OdooOrm orm(view, faults, user, context, database.Now());
      use(orm);
      result.delay = orm.delay();
      result.hangs = orm.hangs();
    });
  };
  if (IsAction(call)) {
    with_orm([&](OdooOrm& orm) {
      orm.CheckMayRead(*model);
      if (!call.args.empty()) orm.CheckExist(*model, IdsOf(call.args[0]));
    });
    if (std::optional<CallResult> done = TryAction(database, call)) return *std::move(done);
    throw NoSuchMethod(call, version);
  }
  for (const Method& method : kMethods) {
    if (method.name != call.method || version < method.first_version ||
        version > method.last_version)
      continue;
    with_orm([&](OdooOrm& orm) {
      Scene scene{orm, *model, call, version, user.spec.uid};
      result.value = method.run(scene);
    });
    return result;
  }
  throw NoSuchMethod(call, version);
}

}  // namespace poller::test
