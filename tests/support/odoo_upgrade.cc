#include "tests/support/odoo_upgrade.h"

#include <string>
#include <string_view>
#include <utility>

namespace poller::test {
namespace {

// The name of a field in another version.
std::string_view NameIn(const Schema& schema, std::string_view name) {
  if (name == "product_uom" || name == "product_uom_id") {
    return schema.version() >= 19 ? "product_uom_id" : "product_uom";
  }
  if (name == "tax_id" || name == "tax_ids") return schema.version() >= 19 ? "tax_ids" : "tax_id";
  return name;
}

Record Upgraded(const Record& old, const ModelDef& from, const ModelDef& to, const Schema& schema) {
  Record record;
  record.id = old.id;
  record.values.resize(to.fields.size());
  for (const FieldDef& field : from.fields) {
    const FieldDef* now = to.Find(NameIn(schema, field.name));
    if (now == nullptr) continue;
    record.values[static_cast<std::size_t>(now->index)] =
        old.values[static_cast<std::size_t>(field.index)];
  }
  // 17 made a boolean of the state that 16 calls "Locked".
  const FieldDef* locked = to.name == "sale.order" ? to.Find("locked") : nullptr;
  if (locked != nullptr) {
    FieldValue& state = record.values[static_cast<std::size_t>(to.At("state").index)];
    if (state == FieldValue(std::string("done"))) {
      state = std::string("sale");
      record.values[static_cast<std::size_t>(locked->index)] = true;
    }
  }
  return record;
}

}  // namespace

void CopyUpgraded(Store& from, Store& to) {
  constexpr std::uint64_t kTx = 1;
  Overlay overlay = to.Begin(absl::UnixEpoch());
  for (const ModelDef& model : from.schema().models()) {
    const ModelDef& now = to.schema().At(model.name);
    to.ReserveId(now, from.NextId(model) - 1);
    for (const auto& [id, record] : from.Rows(model)) {
      to.Put(kTx, overlay, now, Upgraded(*record, model, now, to.schema())).IgnoreError();
    }
  }
  to.Commit(kTx, overlay);
}

}  // namespace poller::test
