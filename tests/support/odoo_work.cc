#include "tests/support/odoo_work.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/base/status.h"
#include "tests/support/odoo_value.h"

namespace poller::test {
namespace {

// Half away from zero, as Odoo rounds, tolerant of binary noise just below the half.
double RoundTo(double amount, int digits) {
  const double factor = std::pow(10.0, digits);
  const double scaled = amount * factor;
  return std::round(scaled + std::copysign(std::fabs(scaled) * 1e-12, amount)) / factor;
}

}  // namespace

absl::StatusOr<Record> SimDatabase::Work::Get(const ModelDef& model, RecordId id) const {
  const Record* record = view_.Find(model, id);
  if (record == nullptr) return absl::NotFoundError(model.name + " " + std::to_string(id));
  return *record;
}

void SimDatabase::Work::SetAll(const ModelDef& model, Record& record,
                               const boost::json::object& values) {
  for (const auto& [name, value] : values) {
    const FieldDef& field = model.At(std::string_view(name));
    if (field.compute != nullptr || field.type == FieldType::kOne2many || field.name == "id")
      continue;
    record.values[static_cast<std::size_t>(field.index)] = FieldFromJson(field, value);
  }
}

Record SimDatabase::Work::New(const ModelDef& model) {
  Record record;
  record.id = store_.NextId(model);
  record.values.resize(model.fields.size());
  Set(model, record, "id", record.id);
  Set(model, record, "create_date", overlay_.start);
  Set(model, record, "create_uid", RecordId{2});
  if (model.Find("active") != nullptr) Set(model, record, "active", true);
  return record;
}

absl::Status SimDatabase::Work::Put(const ModelDef& model, Record record) {
  Set(model, record, "write_date", overlay_.start);
  Set(model, record, "write_uid", RecordId{2});
  return store_.Put(tx_, overlay_, model, std::move(record));
}

RecordId SimDatabase::Work::Need(std::string_view model, RecordId id) const {
  if (view_.Find(schema().At(model), id) == nullptr) {
    std::fprintf(stderr, "simulated Odoo: there is no %s %lld\n", std::string(model).c_str(),
                 static_cast<long long>(id));
    std::abort();
  }
  return id;
}

RecordId SimDatabase::Work::Named(std::string_view model, const std::string& name,
                                  const boost::json::object& more) {
  const ModelDef& def = schema().At(model);
  for (const auto& [key, record] : overlay_.changes) {
    if (key.model == def.number && record != nullptr && view_.Text(def, *record, "name") == name) {
      return key.id;
    }
  }
  for (const auto& [id, record] : store_.Rows(def)) {
    if (view_.Text(def, *record, "name") == name) return id;
  }
  Record record = New(def);
  Set(def, record, "name", name);
  SetAll(def, record, more);
  const RecordId id = record.id;
  Put(def, std::move(record)).IgnoreError();  // a new row has no rival
  return id;
}

double SimDatabase::Work::Round(double amount, RecordId currency) const {
  const ModelDef& currencies = schema().At("res.currency");
  const Record* record = view_.Find(currencies, currency);
  const double digits = record == nullptr ? 2 : view_.Number(currencies, *record, "decimal_places");
  return RoundTo(amount, static_cast<int>(digits));
}

void SimDatabase::Work::ComputeLine(Record& line) const {
  const ModelDef& model = lines();
  const RecordId currency = view_.Ref(model, line, "currency_id");
  const double price =
      view_.Number(model, line, "price_unit") * (1 - view_.Number(model, line, "discount") / 100);
  const double subtotal = Round(price * view_.Number(model, line, "product_uom_qty"), currency);
  double tax = 0;
  const ModelDef& taxes = schema().At("account.tax");
  const FieldValue ids = view_.Value(model, line, schema().line_taxes());
  if (const auto* list = std::get_if<std::vector<RecordId>>(&ids)) {
    for (const RecordId id : *list) {
      const Record* record = view_.Find(taxes, id);
      if (record != nullptr)
        tax += Round(subtotal * view_.Number(taxes, *record, "amount") / 100, currency);
    }
  }
  const double total = Round(subtotal + tax, currency);
  Set(model, line, "price_subtotal", subtotal);
  // From 18 on the difference is stored as it comes, noise included.
  Set(model, line, "price_tax", schema().version() >= 18 ? total - subtotal : tax);
  Set(model, line, "price_total", total);
}

absl::StatusOr<RecordId> SimDatabase::Work::MakeLine(RecordId order, const LineSpec& spec) {
  const ModelDef& model = lines();
  const ModelDef& products = schema().At("product.product");
  Record line = New(model);
  Set(model, line, "order_id", order);
  Set(model, line, "sequence", std::int64_t{spec.sequence});
  Set(model, line, "display_type", TextOrEmpty(spec.display_type));
  Set(model, line, "is_downpayment", false);
  Set(model, line, "qty_delivered", 0.0);
  Set(model, line, "qty_invoiced", 0.0);
  std::string name = spec.name;
  if (spec.display_type.empty()) {
    double price = spec.price.value_or(0);
    RecordId unit = 1;
    if (spec.product_id != 0) {
      const Record& product = *view_.Find(products, Need("product.product", spec.product_id));
      if (!spec.price.has_value()) price = view_.Number(products, product, "lst_price");
      if (name.empty()) name = view_.Text(products, product, "display_name");
      unit = view_.Ref(products, product, "uom_id");
    }
    Set(model, line, "product_id", RefOrEmpty(spec.product_id));
    Set(model, line, "product_uom_qty", RoundTo(spec.quantity, 2));
    Set(model, line, schema().line_uom(), RefOrEmpty(unit));
    Set(model, line, "price_unit", price);
    Set(model, line, "discount", spec.discount);
    if (spec.tax != 0) {
      const RecordId tax =
          Named("account.tax", std::to_string(static_cast<int>(spec.tax)) + "%",
                {{"amount", spec.tax}, {"amount_type", "percent"}, {"price_include", false}});
      Set(model, line, schema().line_taxes(), std::vector<RecordId>{tax});
    }
  }
  Set(model, line, "name", name);
  ComputeLine(line);
  const RecordId id = line.id;
  RETURN_IF_ERROR(Put(model, std::move(line)));
  return id;
}

absl::Status SimDatabase::Work::Recompute(RecordId order, Move move) {
  ASSIGN_OR_RETURN(Record record, Get(orders(), order));
  const RecordId currency = view_.Ref(orders(), record, "currency_id");
  double untaxed = 0;
  double tax = 0;
  for (const RecordId id : view_.Children(lines(), lines().At("order_id"), order)) {
    const Record& line = *view_.Find(lines(), id);
    untaxed += view_.Number(lines(), line, "price_subtotal");
    tax += view_.Number(lines(), line, "price_tax");
  }
  untaxed = Round(untaxed, currency);
  tax = Round(tax, currency);
  const bool same = untaxed == view_.Number(orders(), record, "amount_untaxed") &&
                    tax == view_.Number(orders(), record, "amount_tax");
  if (same && move == Move::kIfTotalsChange) return absl::OkStatus();
  Set(orders(), record, "amount_untaxed", untaxed);
  Set(orders(), record, "amount_tax", tax);
  Set(orders(), record, "amount_total", Round(untaxed + tax, currency));
  return Put(orders(), std::move(record));
}

absl::Status SimDatabase::Work::SetState(RecordId order, const std::string& state) {
  ASSIGN_OR_RETURN(Record record, Get(orders(), order));
  Set(orders(), record, "state", state);
  Set(orders(), record, "invoice_status", std::string(state == "sale" ? "to invoice" : "no"));
  // Python's clock at that moment, whole seconds; not the transaction's start.
  if (state == "sale")
    Set(orders(), record, "date_order", absl::FromUnixSeconds(absl::ToUnixSeconds(now_)));
  RETURN_IF_ERROR(Put(orders(), std::move(record)));
  // The state is stored on the lines too, so that they are written.
  for (const RecordId id : view_.Children(lines(), lines().At("order_id"), order)) {
    ASSIGN_OR_RETURN(Record line, Get(lines(), id));
    RETURN_IF_ERROR(Put(lines(), std::move(line)));
  }
  return absl::OkStatus();
}

absl::Status SimDatabase::Work::WriteFields(const ModelDef& model, RecordId id,
                                            const boost::json::object& values) {
  ASSIGN_OR_RETURN(Record record, Get(model, id));
  SetAll(model, record, values);
  return Put(model, std::move(record));
}

}  // namespace poller::test
