// What people do to the records of SimDatabase.
#include <boost/json/array.hpp>
#include <cstdlib>

#include "core/base/status.h"
#include "tests/support/odoo_database.h"
#include "tests/support/odoo_work.h"

namespace poller::test {
namespace {

namespace json = boost::json;

// For what can fail only by misuse of the simulator.
void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "simulated Odoo: %s\n", status.ToString().c_str());
  std::abort();
}

json::value TextOrFalse(const std::string& text) {
  return text.empty() ? json::value(false) : json::value(text);
}

json::value RefOrFalse(RecordId id) { return id == 0 ? json::value(false) : json::value(id); }

std::string CompleteName(const StoreView& view, const PartnerSpec& spec) {
  if (spec.parent_id == 0) return spec.name;
  std::string own = spec.name;
  if (own.empty()) {
    // 19 shortened the words that stand for a nameless address.
    own = spec.type == "delivery" ? "Delivery" : spec.type == "invoice" ? "Invoice" : "Other";
    if (view.schema().version() < 19) own += " Address";
  }
  return view.DisplayName(view.schema().At("res.partner"), spec.parent_id) + ", " + own;
}

}  // namespace

RecordId SimDatabase::AddPartner(const PartnerSpec& spec, Tx tx) {
  RecordId id = 0;
  Must(Run(tx, [&](Work& work) {
    const ModelDef& model = schema_->At("res.partner");
    Record record = work.New(model);
    id = record.id;
    json::object values = {{"name", TextOrFalse(spec.name)},
                           {"is_company", spec.is_company},
                           {"type", spec.type},
                           {"street", TextOrFalse(spec.street)},
                           {"street2", TextOrFalse(spec.street2)},
                           {"zip", TextOrFalse(spec.zip)},
                           {"city", TextOrFalse(spec.city)},
                           {"state_id", RefOrFalse(spec.state_id)},
                           {"country_id", RefOrFalse(spec.country_id)},
                           {"phone", TextOrFalse(spec.phone)},
                           {"email", TextOrFalse(spec.email)},
                           {"vat", TextOrFalse(spec.vat)},
                           {"parent_id", RefOrFalse(spec.parent_id)},
                           {"lang", "en_US"},
                           {"complete_name", CompleteName(work.view(), spec)}};
    if (model.Find("mobile") != nullptr) values["mobile"] = TextOrFalse(spec.mobile);
    if (spec.parent_id != 0) work.Need("res.partner", spec.parent_id);
    Work::SetAll(model, record, values);
    return work.Put(model, std::move(record));
  }));
  return id;
}

RecordId SimDatabase::AddProduct(const ProductSpec& spec, Tx tx) {
  RecordId id = 0;
  Must(Run(tx, [&](Work& work) -> absl::Status {
    RecordId template_id = spec.template_id;
    if (template_id == 0) {
      const ModelDef& templates = schema_->At("product.template");
      Record record = work.New(templates);
      template_id = record.id;
      const std::string& code = spec.template_code.empty() && spec.attributes.empty()
                                    ? spec.default_code
                                    : spec.template_code;
      Work::SetAll(
          templates, record,
          {{"name", spec.name}, {"default_code", TextOrFalse(code)}, {"list_price", spec.price}});
      RETURN_IF_ERROR(work.Put(templates, std::move(record)));
    }
    json::array variant;
    for (const auto& [attribute_name, value_name] : spec.attributes) {
      const RecordId attribute = work.Named("product.attribute", attribute_name);
      const ModelDef& values = schema_->At("product.template.attribute.value");
      Record value = work.New(values);
      variant.push_back(value.id);
      Work::SetAll(
          values, value,
          {{"name", value_name},
           {"attribute_id", attribute},
           {"product_tmpl_id", template_id},
           {"product_attribute_value_id",
            work.Named("product.attribute.value", value_name, {{"attribute_id", attribute}})},
           {"attribute_line_id", work.Named("product.template.attribute.line", attribute_name)},
           {"price_extra", 0.0},
           {"is_custom", false}});
      RETURN_IF_ERROR(work.Put(values, std::move(value)));
    }
    const ModelDef& model = schema_->At("product.product");
    Record record = work.New(model);
    id = record.id;
    Work::SetAll(model, record,
                 {{"name", spec.name},
                  {"default_code", TextOrFalse(spec.default_code)},
                  {"barcode", TextOrFalse(spec.barcode)},
                  {"weight", 0.0},
                  {"volume", 0.0},
                  {"product_tmpl_id", template_id},
                  {"product_template_attribute_value_ids", variant},
                  {"product_template_variant_value_ids", variant},
                  {"type", spec.type},
                  {"uom_id", 1},
                  {"lst_price", spec.price}});
    return work.Put(model, std::move(record));
  }));
  return id;
}

RecordId SimDatabase::CreateOrder(const OrderSpec& spec, Tx tx) {
  RecordId id = 0;
  Must(Run(tx, [&](Work& work) -> absl::Status {
    const ModelDef& model = work.orders();
    Record record = work.New(model);
    id = record.id;
    char name[32];
    std::snprintf(name, sizeof name, "S%05lld", static_cast<long long>(id));
    work.Need("res.partner", spec.partner_id);
    const RecordId shipping =
        spec.shipping_id == 0 ? spec.partner_id : work.Need("res.partner", spec.shipping_id);
    json::object values = {
        {"name", name},
        {"state", "draft"},
        {"partner_id", spec.partner_id},
        {"partner_invoice_id", spec.partner_id},
        {"partner_shipping_id", shipping},
        {"currency_id", work.Named("res.currency", spec.currency, {{"decimal_places", 2}})},
        {"note", TextOrFalse(spec.note)},
        {"client_order_ref", TextOrFalse(spec.client_order_ref)},
        {"company_id", spec.company_id},
        {"user_id", RefOrFalse(spec.user_id)},
        {"invoice_status", "no"}};
    if (model.Find("locked") != nullptr) values["locked"] = false;
    Work::SetAll(model, record, values);
    Work::Set(model, record, "date_order", absl::FromUnixSeconds(absl::ToUnixSeconds(work.now())));
    RETURN_IF_ERROR(work.Put(model, std::move(record)));
    for (const LineSpec& line : spec.lines) RETURN_IF_ERROR(work.MakeLine(id, line).status());
    return work.Recompute(id, Work::Move::kAlways);
  }));
  return id;
}

RecordId SimDatabase::CreateConfirmedOrder(const OrderSpec& spec, Tx tx) {
  const Tx own = tx.id == 0 ? Begin() : tx;
  const RecordId order = CreateOrder(spec, own);
  Must(ConfirmOrder(order, own));
  if (tx.id == 0) Commit(own);
  return order;
}

absl::Status SimDatabase::ConfirmOrder(RecordId order, Tx tx) {
  return Run(tx, [&](Work& work) -> absl::Status {
    ASSIGN_OR_RETURN(const Record record, work.Get(work.orders(), order));
    const std::string state = work.view().Text(work.orders(), record, "state");
    if (state != "draft" && state != "sent") {
      return absl::FailedPreconditionError(
          "The following orders are not in a state requiring confirmation: " +
          work.view().Text(work.orders(), record, "name"));
    }
    return work.SetState(order, "sale");
  });
}

absl::Status SimDatabase::CancelOrder(RecordId order, Tx tx) {
  return Run(tx, [&](Work& work) -> absl::Status {
    ASSIGN_OR_RETURN(const Record record, work.Get(work.orders(), order));
    const bool locked = work.view().Text(work.orders(), record, "state") == "done" ||
                        (schema_->version() >= 17 &&
                         work.view().Value(work.orders(), record, "locked") == FieldValue(true));
    if (locked)
      return absl::FailedPreconditionError(
          "You cannot cancel a locked order. Please unlock it first.");
    return work.SetState(order, "cancel");
  });
}

absl::Status SimDatabase::DraftOrder(RecordId order, Tx tx) {
  return Run(tx, [&](Work& work) -> absl::Status {
    ASSIGN_OR_RETURN(const Record record, work.Get(work.orders(), order));
    const std::string state = work.view().Text(work.orders(), record, "state");
    if (state != "cancel" && state != "sent")
      return absl::FailedPreconditionError("not cancelled: " + state);
    return work.SetState(order, "draft");
  });
}

absl::Status SimDatabase::Reconfirm(RecordId order, Tx tx) {
  const Tx own = tx.id == 0 ? Begin() : tx;
  absl::Status done = DraftOrder(order, own);
  if (done.ok()) done = ConfirmOrder(order, own);
  if (tx.id != 0) return done;
  if (done.ok()) {
    Commit(own);
  } else {
    Rollback(own);
  }
  return done;
}

namespace {

json::object LockValues(int version, bool locked) {
  // Up to 16 a locked order had a state of its own.
  if (version <= 16) return {{"state", locked ? "done" : "sale"}};
  return {{"locked", locked}};
}

}  // namespace

absl::Status SimDatabase::LockOrder(RecordId order, Tx tx) {
  return Write("sale.order", order, LockValues(schema_->version(), true), tx);
}

absl::Status SimDatabase::UnlockOrder(RecordId order, Tx tx) {
  return Write("sale.order", order, LockValues(schema_->version(), false), tx);
}

absl::Status SimDatabase::TouchOrder(RecordId order, Tx tx) {
  return Write("sale.order", order, {}, tx);
}

absl::Status SimDatabase::EditOrderRef(RecordId order, const std::string& client_order_ref, Tx tx) {
  return Write("sale.order", order, {{"client_order_ref", TextOrFalse(client_order_ref)}}, tx);
}

absl::Status SimDatabase::EditNote(RecordId order, const std::string& html, Tx tx) {
  return Write("sale.order", order, {{"note", TextOrFalse(html)}}, tx);
}

absl::StatusOr<RecordId> SimDatabase::AddLine(RecordId order, const LineSpec& line, Tx tx) {
  RecordId id = 0;
  const absl::Status done = Run(tx, [&](Work& work) -> absl::Status {
    RETURN_IF_ERROR(work.Get(work.orders(), order));
    ASSIGN_OR_RETURN(id, work.MakeLine(order, line));
    const bool note = !line.display_type.empty();
    return work.Recompute(order, note && schema_->version() >= 18 ? Work::Move::kIfTotalsChange
                                                                  : Work::Move::kAlways);
  });
  if (!done.ok()) return done;
  return id;
}

absl::StatusOr<RecordId> SimDatabase::AddNoteLine(RecordId order, const std::string& text, Tx tx) {
  LineSpec line;
  line.name = text;
  line.display_type = "line_note";
  line.sequence = 100;
  return AddLine(order, line, tx);
}

absl::Status SimDatabase::DeleteNoteLine(RecordId line, Tx tx) {
  return Run(tx, [&](Work& work) -> absl::Status {
    ASSIGN_OR_RETURN(const Record record, work.Get(work.lines(), line));
    if (work.view().Text(work.lines(), record, "display_type").empty()) {
      return absl::FailedPreconditionError(
          "a line of a confirmed order can only be set to quantity 0");
    }
    RETURN_IF_ERROR(work.Delete(work.lines(), line));
    return work.Recompute(
        work.view().Ref(work.lines(), record, "order_id"),
        schema_->version() >= 18 ? Work::Move::kIfTotalsChange : Work::Move::kAlways);
  });
}

absl::Status SimDatabase::EditLineAmount(RecordId line, std::string_view field, double value,
                                         Tx tx) {
  return Run(tx, [&](Work& work) -> absl::Status {
    ASSIGN_OR_RETURN(Record record, work.Get(work.lines(), line));
    const RecordId order = work.view().Ref(work.lines(), record, "order_id");
    Work::Set(work.lines(), record, field, value);
    work.ComputeLine(record);
    RETURN_IF_ERROR(work.Put(work.lines(), std::move(record)));
    return work.Recompute(
        order, schema_->version() >= 18 ? Work::Move::kIfTotalsChange : Work::Move::kAlways);
  });
}

absl::Status SimDatabase::EditLinePrice(RecordId line, double price, Tx tx) {
  return EditLineAmount(line, "price_unit", price, tx);
}

absl::Status SimDatabase::EditLineQuantity(RecordId line, double quantity, Tx tx) {
  return EditLineAmount(line, "product_uom_qty", quantity, tx);
}

absl::Status SimDatabase::EditLineDescription(RecordId line, const std::string& text, Tx tx) {
  return Write("sale.order.line", line, {{"name", text}}, tx);
}

absl::Status SimDatabase::EditLineSequence(RecordId line, int sequence, Tx tx) {
  return Write("sale.order.line", line, {{"sequence", sequence}}, tx);
}

absl::Status SimDatabase::EditLineDelivered(RecordId line, double quantity, Tx tx) {
  return Write("sale.order.line", line, {{"qty_delivered", quantity}}, tx);
}

absl::Status SimDatabase::EditPartner(RecordId partner, std::string_view field,
                                      const json::value& value, Tx tx) {
  json::object values;
  values[field] = value;
  // The name that others show follows, for partners that stand alone.
  if (field == "name") values["complete_name"] = value;
  return Write("res.partner", partner, values, tx);
}

absl::Status SimDatabase::EditProduct(RecordId product, std::string_view field,
                                      const json::value& value, Tx tx) {
  json::object values;
  values[field] = value;
  return Write("product.product", product, values, tx);
}

absl::Status SimDatabase::ArchiveProduct(RecordId product, Tx tx) {
  return Write("product.product", product, {{"active", false}}, tx);
}

absl::Status SimDatabase::ArchivePartner(RecordId partner, Tx tx) {
  return Write("res.partner", partner, {{"active", false}}, tx);
}

absl::Status SimDatabase::DeleteOrder(RecordId order, Tx tx) {
  return Run(tx, [&](Work& work) -> absl::Status {
    ASSIGN_OR_RETURN(const Record record, work.Get(work.orders(), order));
    const std::string state = work.view().Text(work.orders(), record, "state");
    if (state != "draft" && state != "cancel") {
      return absl::FailedPreconditionError(
          "You can not delete a sent quotation or a confirmed sales order. You must first cancel "
          "it.");
    }
    for (const RecordId line :
         work.view().Children(work.lines(), work.lines().At("order_id"), order)) {
      RETURN_IF_ERROR(work.Delete(work.lines(), line));
    }
    return work.Delete(work.orders(), order);
  });
}

}  // namespace poller::test
