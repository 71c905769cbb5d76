#include "tests/support/odoo_orm.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "tests/support/odoo_domain.h"
#include "tests/support/odoo_error.h"
#include "tests/support/odoo_value.h"

namespace poller::test {
namespace {

namespace json = boost::json;

// What the window query asks: a broken record does not disturb it.
bool IsLight(std::string_view field) {
  return field == "id" || field == "state" || field == "write_date" || field == "create_date" ||
         field == "date_order";
}

std::string GroupsOf(int version) {
  if (version >= 19) {
    return "\t- Accounting/Invoicing\n\t- Sales/Administrator\n\t- Sales/User: Own Documents Only\n"
           "\t- Role / Portal\n\t- Show Accounting Features - Readonly\n"
           "\t- Show Full Accounting Features\n";
  }
  return std::string(version >= 18 ? "\t- Invoicing/Invoicing\n" : "\t- Invoicing/Billing\n") +
         "\t- Sales/Administrator\n\t- Sales/User: Own Documents Only\n"
         "\t- Technical/Show Accounting Features - Readonly\n"
         "\t- Technical/Show Full Accounting Features\n\t- User types/Portal\n";
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::vector<std::string> Words(std::string_view text, char separator) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (c != separator) {
      word.push_back(c);
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

template <class T>
int ThreeWay(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

OdooOrm::OdooOrm(const StoreView& view, const SimDatabase::Faults& faults, const SimUser& user,
                 const json::object& context, absl::Time now)
    : view_(view),
      faults_(faults),
      user_(user),
      context_(context),
      now_(now),
      companies_(user.spec.companies) {
  const json::value* allowed = context.if_contains("allowed_company_ids");
  if (allowed == nullptr || !allowed->is_array() || allowed->get_array().empty()) return;
  std::vector<RecordId> narrowed;
  for (const json::value& id : allowed->get_array()) {
    const RecordId company = id.is_int64() ? id.get_int64() : 0;
    if (std::find(companies_.begin(), companies_.end(), company) == companies_.end()) {
      throw AccessError("Access to unauthorized or invalid companies.");
    }
    narrowed.push_back(company);
  }
  companies_ = std::move(narrowed);
}

const FieldDef& OdooOrm::NeedField(const ModelDef& model, std::string_view name) const {
  const FieldDef* field = model.Find(name);
  if (field == nullptr) {
    throw ValueError("Invalid field '" + std::string(name) +
                     (view_.schema().version() >= 19 ? "' on '" : "' on model '") + model.name +
                     "'");
  }
  return *field;
}

bool OdooOrm::MayRead(const ModelDef& model) const {
  return user_.spec.rights != Rights::kNone ||
         (model.name != "sale.order" && model.name != "sale.order.line");
}

bool OdooOrm::HasGroup(std::string_view external_id) const {
  if (external_id == "sales_team.group_sale_salesman_all_leads") {
    return user_.spec.rights == Rights::kAll;
  }
  return external_id == "sales_team.group_sale_salesman" && user_.spec.rights != Rights::kNone;
}

void OdooOrm::CheckMayRead(const ModelDef& model) const {
  if (MayRead(model)) return;
  throw AccessError("You are not allowed to access '" + model.description + "' (" + model.name +
                    ") records.\n\nThis operation is allowed for the following groups:\n" +
                    GroupsOf(view_.schema().version()) +
                    "\nContact your administrator to request access if necessary.");
}

void OdooOrm::CheckExist(const ModelDef& model, const std::vector<RecordId>& ids) const {
  for (const RecordId id : ids) {
    if (view_.Find(model, id) != nullptr) continue;
    throw OdooError("odoo.exceptions.MissingError",
                    "Record does not exist or has been deleted.\n(Record: " + model.name + "(" +
                        std::to_string(id) + ",), User: " + std::to_string(user_.spec.uid) + ")");
  }
}

bool OdooOrm::Visible(const ModelDef& model, const Record& record) const {
  if (model.name == "res.users.apikeys") {
    return view_.Ref(model, record, "user_id") == user_.spec.uid;
  }
  const bool line = model.name == "sale.order.line";
  if (model.name != "sale.order" && !line) return true;
  const RecordId company = view_.Ref(model, record, "company_id");
  if (company != 0 &&
      std::find(companies_.begin(), companies_.end(), company) == companies_.end()) {
    return false;
  }
  if (user_.spec.rights != Rights::kOwnDocuments) return true;
  const RecordId salesman = view_.Ref(model, record, line ? "salesman_id" : "user_id");
  return salesman == 0 || salesman == user_.spec.uid;
}

void OdooOrm::Refuse(const ModelDef& model) const {
  throw AccessError(
      "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\nSorry, " +
      user_.spec.login + " (id=" + std::to_string(user_.spec.uid) +
      ") doesn't have 'read' access to:\n- " + model.description + " (" + model.name +
      ")\n\nIf you really, really need access, perhaps you can win over your friendly "
      "administrator with a batch of freshly baked cookies.");
}

bool OdooOrm::Has(RecordFault::Kind kind, const ModelDef& model, RecordId id) const {
  const auto found = faults_.find({model.number, id});
  return found != faults_.end() && found->second.kind == kind;
}

// Odoo searches the other side of a one2many as the user: what a record rule hides is not named.
json::value OdooOrm::OnlyVisible(const FieldDef& field, json::value ids) const {
  if (!ids.is_array()) return ids;
  const ModelDef& other = view_.schema().At(field.relation);
  json::array visible;
  for (json::value& id : ids.get_array()) {
    const Record* record = view_.Find(other, id.get_int64());
    const bool hidden =
        record != nullptr &&
        (!Visible(other, *record) || Has(RecordFault::Kind::kForbidden, other, record->id));
    if (!hidden) visible.push_back(std::move(id));
  }
  return visible;
}

void OdooOrm::MeetRecord(const ModelDef& model, const Record& record, bool light) {
  if (!Visible(model, record)) Refuse(model);
  const auto found = faults_.find({model.number, record.id});
  if (found == faults_.end() || light) return;
  const RecordFault& fault = found->second;
  switch (fault.kind) {
    case RecordFault::Kind::kForbidden:
      Refuse(model);
    case RecordFault::Kind::kError:
      throw OdooError(fault.name, fault.message);
    case RecordFault::Kind::kSlow:
      delay_ += fault.delay;
      break;
    case RecordFault::Kind::kHang:
      hangs_ = true;
      break;
    case RecordFault::Kind::kLeftOut:
      break;
  }
}

std::vector<OdooOrm::SortKey> OdooOrm::ParseOrder(const ModelDef& model,
                                                  std::string_view order) const {
  std::vector<SortKey> keys;
  for (const std::string& part : Words(order, ',')) {
    const std::vector<std::string> words = Words(part, ' ');
    const std::string direction = words.size() > 1 ? Lower(words[1]) : "asc";
    if (words.empty() || words.size() > 2 || (direction != "asc" && direction != "desc")) {
      throw UserError(
          "Invalid \"order\" specified (" + std::string(order) +
          "). A valid \"order\" specification is a comma-separated list of valid field names "
          "(optionally followed by asc/desc for the direction)");
    }
    const FieldDef* field = model.Find(words[0]);
    if (field == nullptr) {  // the same words in all versions
      throw ValueError("Invalid field '" + words[0] + "' on model '" + model.name + "'");
    }
    keys.push_back({field, direction == "desc"});
  }
  return keys;
}

int OdooOrm::CompareField(const ModelDef& model, const FieldDef& field, const Record& a,
                          const Record& b) const {
  const FieldValue left = view_.Value(model, a, field);
  const FieldValue right = view_.Value(model, b, field);
  const bool no_left = std::holds_alternative<std::monostate>(left);
  const bool no_right = std::holds_alternative<std::monostate>(right);
  // PostgreSQL takes NULL for the largest.
  if (no_left || no_right) return ThreeWay(no_left, no_right);
  if (field.type == FieldType::kMany2one && left != right) {
    const ModelDef& other = view_.schema().At(field.relation);
    const Record* first = view_.Find(other, std::get<std::int64_t>(left));
    const Record* second = view_.Find(other, std::get<std::int64_t>(right));
    if (first != nullptr && second != nullptr) {
      return Compare(other, ParseOrder(other, other.default_order), *first, *second);
    }
  }
  return ThreeWay(left, right);
}

int OdooOrm::Compare(const ModelDef& model, const std::vector<SortKey>& keys, const Record& a,
                     const Record& b) const {
  for (const SortKey& key : keys) {
    const int order = CompareField(model, *key.field, a, b);
    if (order != 0) return key.descending ? -order : order;
  }
  return 0;
}

std::vector<RecordId> OdooOrm::Search(const ModelDef& model, const json::value& domain,
                                      std::int64_t offset, std::int64_t limit,
                                      std::string_view order) {
  CheckMayRead(model);
  const Domain wanted = Domain::Parse(view_.schema(), model,
                                      domain.is_null() ? json::value(json::array()) : domain, now_);
  const std::vector<SortKey> keys = ParseOrder(model, order.empty() ? model.default_order : order);
  const json::value* active_test = context_.if_contains("active_test");
  const FieldDef* active = model.Find("active");
  const bool only_active =
      active != nullptr && !wanted.Mentions("active") &&
      (active_test == nullptr || !active_test->is_bool() || active_test->get_bool());
  const auto matches = [&](const Record& record) {
    if (only_active && IsEmptyValue(view_.Value(model, record, *active))) return false;
    return wanted.Matches(view_, record) && Visible(model, record);
  };
  const auto& rows = view_.store().Rows(model);
  const auto need =
      limit > 0 ? static_cast<std::size_t>(offset + limit) : static_cast<std::size_t>(-1);
  std::vector<const Record*> found;
  const bool by_id = !keys.empty() && keys.front().field->name == "id";
  if (by_id && keys.front().descending) {
    for (auto row = rows.rbegin(); row != rows.rend() && found.size() < need; ++row) {
      if (matches(*row->second)) found.push_back(row->second.get());
    }
  } else {
    for (auto row = rows.begin(); row != rows.end() && (!by_id || found.size() < need); ++row) {
      if (matches(*row->second)) found.push_back(row->second.get());
    }
  }
  if (!by_id) {
    std::stable_sort(found.begin(), found.end(), [&](const Record* a, const Record* b) {
      return Compare(model, keys, *a, *b) < 0;
    });
  }
  std::vector<RecordId> ids;
  for (std::size_t i = static_cast<std::size_t>(std::max<std::int64_t>(offset, 0));
       i < std::min(found.size(), need); ++i) {
    ids.push_back(found[i]->id);
  }
  return ids;
}

json::array OdooOrm::Read(const ModelDef& model, const std::vector<RecordId>& ids,
                          const json::value& fields, bool names) {
  CheckMayRead(model);
  std::vector<const FieldDef*> wanted = {&model.At("id")};
  bool light = true;
  if (fields.is_array() && !fields.get_array().empty()) {
    for (const json::value& name : fields.get_array()) {
      const FieldDef& field =
          NeedField(model, name.is_string() ? std::string(name.get_string()) : "?");
      light = light && IsLight(field.name);
      if (field.name != "id") wanted.push_back(&field);
    }
  } else {
    light = false;
    for (const FieldDef& field : model.fields) {
      if (field.name != "id") wanted.push_back(&field);
    }
  }
  json::array out;
  for (const RecordId id : ids) {
    const Record* record = view_.Find(model, id);
    if (record == nullptr || (!light && Has(RecordFault::Kind::kLeftOut, model, id))) continue;
    MeetRecord(model, *record, light);
    json::object row;
    for (const FieldDef* field : wanted) {
      const FieldValue value = view_.Value(model, *record, *field);
      const auto* target = std::get_if<std::int64_t>(&value);
      if (names && field->type == FieldType::kMany2one && target != nullptr) {
        row[field->name] = {*target,
                            view_.DisplayName(view_.schema().At(field->relation), *target)};
      } else {
        json::value shown = FieldToJson(*field, value);
        if (field->type == FieldType::kOne2many) shown = OnlyVisible(*field, std::move(shown));
        row[field->name] = std::move(shown);
      }
    }
    out.push_back(std::move(row));
  }
  return out;
}

json::array OdooOrm::WebRead(const ModelDef& model, const std::vector<RecordId>& ids,
                             const json::object& specification) {
  json::array names;
  for (const auto& [name, spec] : specification) names.push_back(json::string(name));
  if (names.empty()) names.push_back("id");
  json::array rows = Read(model, ids, names, /*names=*/false);
  for (json::value& row : rows) {
    for (const auto& [name, spec] : specification) {
      const json::value* inner =
          spec.is_object() ? spec.get_object().if_contains("fields") : nullptr;
      const FieldDef& field = model.At(std::string_view(name));
      if (inner == nullptr || !inner->is_object() || field.relation.empty()) continue;
      const ModelDef& other = view_.schema().At(field.relation);
      json::value& value = row.get_object()[name];
      if (value.is_int64()) {
        json::array one = WebRead(other, {value.get_int64()}, inner->get_object());
        value = one.empty() ? json::value(false) : one[0];
      } else if (value.is_array()) {
        std::vector<RecordId> targets;
        for (const json::value& id : value.get_array()) targets.push_back(id.get_int64());
        value = targets.empty() ? json::array() : WebRead(other, targets, inner->get_object());
      }
    }
  }
  return rows;
}

json::object OdooOrm::FieldsGet(const ModelDef& model, const json::value& names,
                                const json::value& attributes) const {
  const auto listed = [](const json::value& list, std::string_view name) {
    if (!list.is_array() || list.get_array().empty()) return true;
    const json::array& items = list.get_array();
    return std::any_of(items.begin(), items.end(), [&](const json::value& item) {
      return item.is_string() && std::string_view(item.get_string()) == name;
    });
  };
  json::object out;
  for (const FieldDef& field : model.fields) {
    if (!listed(names, field.name)) continue;
    json::object all = {
        {"type", FieldTypeName(field.type)}, {"string", field.label},      {"store", field.stored},
        {"readonly", field.readonly},        {"required", field.required}, {"name", field.name}};
    if (!field.relation.empty()) all["relation"] = field.relation;
    if (!field.inverse.empty()) all["relation_field"] = field.inverse;
    if (!field.currency_field.empty()) all["currency_field"] = field.currency_field;
    if (field.type == FieldType::kSelection) {
      json::array selection;
      for (const auto& [key, label] : field.selection) selection.push_back({key, label});
      all["selection"] = std::move(selection);
    }
    json::object description;
    for (const auto& [key, value] : all) {
      if (listed(attributes, std::string_view(key))) description[key] = value;
    }
    out[field.name] = std::move(description);
  }
  return out;
}

}  // namespace poller::test
