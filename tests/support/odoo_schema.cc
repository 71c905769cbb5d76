#include "tests/support/odoo_schema.h"

#include <cstdio>
#include <cstdlib>

#include "tests/support/odoo_models.h"

namespace poller::test {

std::string_view FieldTypeName(FieldType type) {
  switch (type) {
    case FieldType::kBoolean:
      return "boolean";
    case FieldType::kInteger:
      return "integer";
    case FieldType::kFloat:
      return "float";
    case FieldType::kMonetary:
      return "monetary";
    case FieldType::kChar:
      return "char";
    case FieldType::kText:
      return "text";
    case FieldType::kHtml:
      return "html";
    case FieldType::kSelection:
      return "selection";
    case FieldType::kDate:
      return "date";
    case FieldType::kDatetime:
      return "datetime";
    case FieldType::kMany2one:
      return "many2one";
    case FieldType::kOne2many:
      return "one2many";
    case FieldType::kMany2many:
      return "many2many";
  }
  return "?";
}

const FieldDef* ModelDef::Find(std::string_view field) const {
  const auto found = by_name.find(std::string(field));
  return found == by_name.end() ? nullptr : &fields[static_cast<std::size_t>(found->second)];
}

const FieldDef& ModelDef::At(std::string_view field) const {
  const FieldDef* found = Find(field);
  if (found == nullptr) {
    std::fprintf(stderr, "simulated Odoo: %s has no field %s\n", name.c_str(),
                 std::string(field).c_str());
    std::abort();
  }
  return *found;
}

Schema::Schema(int version) : version_(version), models_(AllModels(version)) {
  for (ModelDef& model : models_) {
    model.number = static_cast<int>(by_name_.size());
    by_name_[model.name] = model.number;
    for (FieldDef& field : model.fields) {
      field.index = static_cast<int>(model.by_name.size());
      model.by_name[field.name] = field.index;
    }
  }
}

const ModelDef* Schema::Find(std::string_view model) const {
  const auto found = by_name_.find(std::string(model));
  return found == by_name_.end() ? nullptr : &models_[static_cast<std::size_t>(found->second)];
}

const ModelDef& Schema::At(std::string_view model) const {
  const ModelDef* found = Find(model);
  if (found == nullptr) {
    std::fprintf(stderr, "simulated Odoo: no model %s\n", std::string(model).c_str());
    std::abort();
  }
  return *found;
}

}  // namespace poller::test
