// The models of the simulated Odoo and their fields, as one version of it has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace poller::test {

using RecordId = std::int64_t;

// Empty (NULL), or the content by type: many2one as an id, x2many as ids, dates as text, datetimes
// with microseconds.
using FieldValue = std::variant<std::monostate, bool, std::int64_t, double, std::string, absl::Time,
                                std::vector<RecordId>>;

enum class FieldType {
  kBoolean,
  kInteger,
  kFloat,
  kMonetary,
  kChar,
  kText,
  kHtml,
  kSelection,
  kDate,
  kDatetime,
  kMany2one,
  kOne2many,
  kMany2many,
};
// "many2one": what fields_get says.
std::string_view FieldTypeName(FieldType type);

class StoreView;
struct ModelDef;
struct Record;
using ComputeFunction = FieldValue (*)(const StoreView& view, const ModelDef& model,
                                       const Record& record);

struct FieldDef {
  std::string name;
  FieldType type = FieldType::kChar;
  std::string label;
  std::string relation = {};  // the other model of a many2one or x2many
  std::string inverse = {};   // one2many: the many2one of `relation` that points here
  bool readonly = false;
  bool required = false;
  bool stored =
      true;  // what fields_get says; a one2many or related field is never held in the record
  std::string currency_field = {};
  std::vector<std::pair<std::string, std::string>> selection = {};
  ComputeFunction compute = nullptr;  // null: the value stands in the record
  int index = 0;                      // in ModelDef::fields and Record::values
};

struct ModelDef {
  std::string name;
  std::string description;    // "Sales Order"
  std::string default_order;  // as `_order`
  int number = 0;             // in the schema
  std::vector<FieldDef> fields;
  absl::flat_hash_map<std::string, int> by_name;

  // Null if there is no such field.
  const FieldDef* Find(std::string_view field) const;
  // Aborts if there is no such field: for names that the simulator itself knows to exist.
  const FieldDef& At(std::string_view field) const;
};

// Immutable after construction.
class Schema {
 public:
  // `version` is 16 to 22.
  explicit Schema(int version);
  int version() const { return version_; }
  const ModelDef* Find(std::string_view model) const;
  const ModelDef& At(std::string_view model) const;
  const std::vector<ModelDef>& models() const { return models_; }

  // Names that changed: "product_uom" or "product_uom_id", "tax_id" or "tax_ids".
  std::string line_uom() const { return version_ >= 19 ? "product_uom_id" : "product_uom"; }
  std::string line_taxes() const { return version_ >= 19 ? "tax_ids" : "tax_id"; }

 private:
  int version_;
  std::vector<ModelDef> models_;
  absl::flat_hash_map<std::string, int> by_name_;
};

}  // namespace poller::test
