#include "tests/support/odoo_models.h"

#include <string>
#include <utility>

#include "tests/support/odoo_store.h"

namespace poller::test {
namespace {

// Reads as a table: ModelBuilder(...).Char("name", "Name").Many2one(...)
class ModelBuilder {
 public:
  ModelBuilder(std::string name, std::string description, std::string default_order) {
    model_.name = std::move(name);
    model_.description = std::move(description);
    model_.default_order = std::move(default_order);
    Integer("id", "ID").ReadOnly();
    Datetime("create_date", "Created on").ReadOnly();
    Datetime("write_date", "Last Updated on").ReadOnly();
    Many2one("create_uid", "Created by", "res.users").ReadOnly();
    Many2one("write_uid", "Last Updated by", "res.users").ReadOnly();
  }

  ModelBuilder& Add(FieldType type, std::string name, std::string label) {
    FieldDef field;
    field.name = std::move(name);
    field.type = type;
    field.label = std::move(label);
    model_.fields.push_back(std::move(field));
    return *this;
  }
  ModelBuilder& Boolean(std::string n, std::string l) {
    return Add(FieldType::kBoolean, std::move(n), std::move(l));
  }
  ModelBuilder& Integer(std::string n, std::string l) {
    return Add(FieldType::kInteger, std::move(n), std::move(l));
  }
  ModelBuilder& Float(std::string n, std::string l) {
    return Add(FieldType::kFloat, std::move(n), std::move(l));
  }
  ModelBuilder& Char(std::string n, std::string l) {
    return Add(FieldType::kChar, std::move(n), std::move(l));
  }
  ModelBuilder& Text(std::string n, std::string l) {
    return Add(FieldType::kText, std::move(n), std::move(l));
  }
  ModelBuilder& Html(std::string n, std::string l) {
    return Add(FieldType::kHtml, std::move(n), std::move(l));
  }
  ModelBuilder& Date(std::string n, std::string l) {
    return Add(FieldType::kDate, std::move(n), std::move(l));
  }
  ModelBuilder& Datetime(std::string n, std::string l) {
    return Add(FieldType::kDatetime, std::move(n), std::move(l));
  }
  ModelBuilder& Monetary(std::string n, std::string l) {
    Add(FieldType::kMonetary, std::move(n), std::move(l));
    Last().currency_field = "currency_id";
    return *this;
  }
  ModelBuilder& Selection(std::string n, std::string l,
                          std::vector<std::pair<std::string, std::string>> values) {
    Add(FieldType::kSelection, std::move(n), std::move(l));
    Last().selection = std::move(values);
    return *this;
  }
  ModelBuilder& Many2one(std::string n, std::string l, std::string relation) {
    Add(FieldType::kMany2one, std::move(n), std::move(l));
    Last().relation = std::move(relation);
    return *this;
  }
  ModelBuilder& Many2many(std::string n, std::string l, std::string relation) {
    Add(FieldType::kMany2many, std::move(n), std::move(l));
    Last().relation = std::move(relation);
    return *this;
  }
  ModelBuilder& One2many(std::string n, std::string l, std::string relation, std::string inverse) {
    Add(FieldType::kOne2many, std::move(n), std::move(l));
    Last().relation = std::move(relation);
    Last().inverse = std::move(inverse);
    return *this;
  }
  ModelBuilder& ReadOnly() {
    Last().readonly = true;
    return *this;
  }
  ModelBuilder& Required() {
    Last().required = true;
    return *this;
  }
  // The last field is computed and not stored.
  ModelBuilder& Computed(ComputeFunction compute) {
    Last().compute = compute;
    Last().stored = false;
    Last().readonly = true;
    return *this;
  }
  ModelDef Build(ComputeFunction display_name) {
    Char("display_name", "Display Name").Computed(display_name);
    return std::move(model_);
  }

 private:
  FieldDef& Last() { return model_.fields.back(); }
  ModelDef model_;
};

FieldValue NameOf(const StoreView& view, const ModelDef& model, const Record& record) {
  return view.Value(model, record, "name");
}

FieldValue PartnerDisplayName(const StoreView& view, const ModelDef& model, const Record& record) {
  return view.Value(model, record, "complete_name");
}

std::string WithCode(const std::string& code, const std::string& name) {
  return code.empty() ? name : "[" + code + "] " + name;
}

FieldValue TemplateDisplayName(const StoreView& view, const ModelDef& model, const Record& record) {
  return WithCode(view.Text(model, record, "default_code"), view.Text(model, record, "name"));
}

FieldValue ProductDisplayName(const StoreView& view, const ModelDef& model, const Record& record) {
  std::string name = view.Text(model, record, "name");
  const ModelDef& values = view.schema().At("product.template.attribute.value");
  std::string variant;
  const FieldValue ids = view.Value(model, record, "product_template_variant_value_ids");
  if (const auto* list = std::get_if<std::vector<RecordId>>(&ids)) {
    for (const RecordId id : *list) {
      const Record* value = view.Find(values, id);
      if (value == nullptr) continue;
      variant += (variant.empty() ? "" : ", ") + view.Text(values, *value, "name");
    }
  }
  if (!variant.empty()) name += " (" + variant + ")";
  return WithCode(view.Text(model, record, "default_code"), name);
}

FieldValue AttributeValueDisplayName(const StoreView& view, const ModelDef& model,
                                     const Record& record) {
  const RecordId attribute = view.Ref(model, record, "attribute_id");
  const std::string name = view.Text(model, record, "name");
  if (attribute == 0) return name;
  return view.DisplayName(view.schema().At("product.attribute"), attribute) + ": " + name;
}

FieldValue StateDisplayName(const StoreView& view, const ModelDef& model, const Record& record) {
  const ModelDef& countries = view.schema().At("res.country");
  const Record* country = view.Find(countries, view.Ref(model, record, "country_id"));
  const std::string name = view.Text(model, record, "name");
  return country == nullptr ? name : name + " (" + view.Text(countries, *country, "code") + ")";
}

FieldValue LineDisplayName(const StoreView& view, const ModelDef& model, const Record& record) {
  return view.DisplayName(view.schema().At("sale.order"), view.Ref(model, record, "order_id")) +
         " - " + view.Text(model, record, "name");
}

FieldValue LineTemplate(const StoreView& view, const ModelDef& model, const Record& record) {
  const ModelDef& products = view.schema().At("product.product");
  const Record* product = view.Find(products, view.Ref(model, record, "product_id"));
  return product == nullptr ? FieldValue() : view.Value(products, *product, "product_tmpl_id");
}

template <const char* kField>
FieldValue OfOrder(const StoreView& view, const ModelDef& model, const Record& record) {
  const ModelDef& orders = view.schema().At("sale.order");
  const Record* order = view.Find(orders, view.Ref(model, record, "order_id"));
  return order == nullptr ? FieldValue() : view.Value(orders, *order, kField);
}
constexpr char kState[] = "state";
constexpr char kCurrency[] = "currency_id";
constexpr char kCompany[] = "company_id";
constexpr char kPartner[] = "partner_id";
constexpr char kSalesman[] = "user_id";

FieldValue CountryCode(const StoreView& view, const ModelDef& model, const Record& record) {
  const ModelDef& countries = view.schema().At("res.country");
  const Record* country = view.Find(countries, view.Ref(model, record, "country_id"));
  return country == nullptr ? FieldValue() : view.Value(countries, *country, "code");
}

FieldValue CommercialCompanyName(const StoreView& view, const ModelDef& model,
                                 const Record& record) {
  const Record* parent = view.Find(model, view.Ref(model, record, "parent_id"));
  const Record& commercial = parent == nullptr ? record : *parent;
  const FieldValue company = view.Value(model, commercial, "is_company");
  return company == FieldValue(true) ? view.Value(model, commercial, "name") : FieldValue();
}

std::vector<std::pair<std::string, std::string>> OrderStates(int version) {
  std::vector<std::pair<std::string, std::string>> states = {
      {"draft", "Quotation"}, {"sent", "Quotation Sent"}, {"sale", "Sales Order"}};
  if (version <= 16) states.emplace_back("done", "Locked");
  states.emplace_back("cancel", "Cancelled");
  return states;
}

ModelDef SaleOrder(int version) {
  ModelBuilder model("sale.order", "Sales Order", "date_order desc, id desc");
  model.Char("name", "Order Reference").Required().ReadOnly();
  model.Selection("state", "Status", OrderStates(version)).ReadOnly();
  if (version >= 17) model.Boolean("locked", "Locked");
  model.Datetime("date_order", "Order Date").Required();
  model.Many2one("partner_id", "Customer", "res.partner").Required();
  model.Many2one("partner_invoice_id", "Invoice Address", "res.partner").Required();
  model.Many2one("partner_shipping_id", "Delivery Address", "res.partner").Required();
  model.One2many("order_line", "Order Lines", "sale.order.line", "order_id");
  model.Monetary("amount_untaxed", "Untaxed Amount").ReadOnly();
  model.Monetary("amount_tax", "Taxes").ReadOnly();
  model.Monetary("amount_total", "Total").ReadOnly();
  model.Many2one("currency_id", "Currency", "res.currency").ReadOnly();
  model.Html("note", "Terms and conditions");
  model.Char("client_order_ref", "Customer Reference");
  model.Many2one("company_id", "Company", "res.company").Required();
  model.Many2one("pricelist_id", "Pricelist", "product.pricelist");
  model.Many2one("user_id", "Salesperson", "res.users");
  model.Datetime("commitment_date", "Delivery Date");
  model.Many2one("payment_term_id", "Payment Terms", "account.payment.term");
  model.Char("origin", "Source Document");
  model.Char("reference", "Payment Ref.");
  model.Date("validity_date", "Expiration");
  model
      .Selection("invoice_status", "Invoice Status",
                 {{"upselling", "Upselling Opportunity"},
                  {"invoiced", "Fully Invoiced"},
                  {"to invoice", "To Invoice"},
                  {"no", "Nothing to Invoice"}})
      .ReadOnly();
  model.Many2many("tag_ids", "Tags", "crm.tag");
  return model.Build(NameOf);
}

ModelDef SaleOrderLine(int version) {
  ModelBuilder model("sale.order.line", "Sales Order Line", "order_id, sequence, id");
  model.Many2one("order_id", "Order Reference", "sale.order").Required();
  model.Integer("sequence", "Sequence");
  model.Selection("display_type", "Display Type",
                  {{"line_section", "Section"}, {"line_note", "Note"}});
  model.Many2one("product_id", "Product", "product.product");
  model.Many2one("product_template_id", "Product Template", "product.template")
      .Computed(LineTemplate);
  model.Text("name", "Description").Required();
  model.Float("product_uom_qty", "Quantity").Required();
  model.Float("qty_delivered", "Delivery Quantity");
  model.Float("qty_invoiced", "Invoiced Quantity").ReadOnly();
  model.Many2one(version >= 19 ? "product_uom_id" : "product_uom", "Unit of Measure", "uom.uom");
  model.Float("price_unit", "Unit Price").Required();
  model.Float("discount", "Discount (%)");
  model.Many2many(version >= 19 ? "tax_ids" : "tax_id", "Taxes", "account.tax");
  model.Monetary("price_subtotal", "Subtotal").ReadOnly();
  model.Float("price_tax", "Total Tax").ReadOnly();
  model.Monetary("price_total", "Total").ReadOnly();
  model.Many2one("currency_id", "Currency", "res.currency").Computed(OfOrder<kCurrency>);
  model.Many2one("company_id", "Company", "res.company").Computed(OfOrder<kCompany>);
  model.Many2one("order_partner_id", "Customer", "res.partner").Computed(OfOrder<kPartner>);
  model.Many2one("salesman_id", "Salesperson", "res.users").Computed(OfOrder<kSalesman>);
  model.Selection("state", "Order Status", OrderStates(version)).Computed(OfOrder<kState>);
  model.Many2many("product_no_variant_attribute_value_ids", "Extra Values",
                  "product.template.attribute.value");
  model.Many2many("product_custom_attribute_value_ids", "Custom Values",
                  "product.attribute.custom.value");
  model.Boolean("is_downpayment", "Is a down payment");
  return model.Build(LineDisplayName);
}

ModelDef Partner(int version) {
  ModelBuilder model("res.partner", "Contact", "complete_name ASC, id DESC");
  model.Char("name", "Name");
  model.Char("complete_name", "Complete Name");
  model.Many2one("parent_id", "Related Company", "res.partner");
  model.One2many("child_ids", "Contact", "res.partner", "parent_id");
  model.Boolean("is_company", "Is a Company");
  model.Selection("type", "Address Type",
                  {{"contact", "Contact"},
                   {"invoice", "Invoice Address"},
                   {"delivery", "Delivery Address"},
                   {"other", "Other Address"}});
  model.Char("commercial_company_name", "Company Name Entity").Computed(CommercialCompanyName);
  model.Char("street", "Street");
  model.Char("street2", "Street2");
  model.Char("zip", "Zip");
  model.Char("city", "City");
  model.Many2one("state_id", "State", "res.country.state");
  model.Many2one("country_id", "Country", "res.country");
  model.Char("country_code", "Country Code").Computed(CountryCode);
  model.Char("phone", "Phone");
  if (version <= 18) model.Char("mobile", "Mobile");
  model.Char("email", "Email");
  model.Char("vat", "Tax ID");
  model.Char("ref", "Reference");
  model.Selection("lang", "Language", {{"en_US", "English (US)"}});
  model.Boolean("active", "Active");
  return model.Build(PartnerDisplayName);
}

ModelDef Product() {
  ModelBuilder model("product.product", "Product Variant", "default_code, name, id");
  model.Char("name", "Name").Required();
  model.Char("default_code", "Internal Reference");
  model.Char("barcode", "Barcode");
  model.Float("weight", "Weight");
  model.Float("volume", "Volume");
  model.Many2one("product_tmpl_id", "Product Template", "product.template").Required();
  model.Many2many("product_template_attribute_value_ids", "Attribute Values",
                  "product.template.attribute.value");
  model.Many2many("product_template_variant_value_ids", "Variant Values",
                  "product.template.attribute.value");
  model.Selection("type", "Product Type", {{"consu", "Goods"}, {"service", "Service"}});
  model.Boolean("active", "Active");
  model.Many2one("uom_id", "Unit of Measure", "uom.uom");
  model.Float("lst_price", "Sales Price");
  model.Many2one("categ_id", "Product Category", "product.category");
  return model.Build(ProductDisplayName);
}

ModelDef Template() {
  ModelBuilder model("product.template", "Product", "name");
  model.Char("name", "Name").Required();
  model.Char("default_code", "Internal Reference");
  model.Char("barcode", "Barcode");
  model.Float("list_price", "Sales Price");
  model.Boolean("active", "Active");
  model.One2many("product_variant_ids", "Products", "product.product", "product_tmpl_id");
  return model.Build(TemplateDisplayName);
}

ModelDef Users() {
  ModelBuilder model("res.users", "User", "name, login");
  model.Char("name", "Name");
  model.Char("login", "Login").Required();
  model.Boolean("active", "Active");
  model.Many2one("partner_id", "Related Partner", "res.partner");
  model.Many2one("company_id", "Company", "res.company");
  model.Many2many("company_ids", "Companies", "res.company");
  model.Datetime("login_date", "Latest Login");
  return model.Build(NameOf);
}

ModelDef ApiKeys(int version) {
  ModelBuilder model("res.users.apikeys", "Users API Keys", "id");
  model.Char("name", "Description").Required();
  model.Many2one("user_id", "User", "res.users").Required().ReadOnly();
  model.Char("scope", "Scope").ReadOnly();
  if (version >= 18) model.Datetime("expiration_date", "Expiration Date").ReadOnly();
  return model.Build(NameOf);
}

ModelDef Named(const char* name, const char* description, const char* order = "id") {
  ModelBuilder model(name, description, order);
  model.Char("name", "Name").Required();
  return model.Build(NameOf);
}

void AddGeography(std::vector<ModelDef>& models) {
  ModelBuilder country("res.country", "Country", "name, id");
  country.Char("name", "Country Name").Required();
  country.Char("code", "Country Code");
  models.push_back(country.Build(NameOf));
  ModelBuilder state("res.country.state", "Country state", "code, id");
  state.Char("name", "State Name").Required();
  state.Char("code", "State Code").Required();
  state.Many2one("country_id", "Country", "res.country").Required();
  models.push_back(state.Build(StateDisplayName));
}

void AddMoney(std::vector<ModelDef>& models) {
  ModelBuilder currency("res.currency", "Currency", "active desc, name");
  currency.Char("name", "Currency").Required();
  currency.Char("symbol", "Symbol");
  currency.Integer("decimal_places", "Decimal Places");
  currency.Float("rounding", "Rounding Factor");
  currency.Selection("position", "Symbol Position",
                     {{"after", "After Amount"}, {"before", "Before Amount"}});
  currency.Boolean("active", "Active");
  models.push_back(currency.Build(NameOf));
  ModelBuilder tax("account.tax", "Tax", "id");
  tax.Char("name", "Tax Name").Required();
  tax.Float("amount", "Amount");
  tax.Selection("amount_type", "Tax Computation",
                {{"percent", "Percentage of Price"}, {"fixed", "Fixed"}});
  tax.Boolean("price_include", "Included in Price");
  tax.Boolean("active", "Active");
  models.push_back(tax.Build(NameOf));
}

void AddAttributes(std::vector<ModelDef>& models) {
  ModelBuilder value("product.attribute.value", "Attribute Value", "attribute_id, id");
  value.Char("name", "Value").Required();
  value.Many2one("attribute_id", "Attribute", "product.attribute");
  models.push_back(value.Build(AttributeValueDisplayName));
  ModelBuilder of_template("product.template.attribute.value", "Product Template Attribute Value",
                           "attribute_line_id, product_attribute_value_id, id");
  of_template.Char("name", "Value");
  of_template.Many2one("attribute_id", "Attribute", "product.attribute");
  of_template.Many2one("product_attribute_value_id", "Attribute Value", "product.attribute.value");
  of_template.Many2one("attribute_line_id", "Attribute Line", "product.template.attribute.line");
  of_template.Many2one("product_tmpl_id", "Product Template", "product.template");
  of_template.Float("price_extra", "Value Price Extra");
  of_template.Boolean("is_custom", "Is custom value");
  models.push_back(of_template.Build(AttributeValueDisplayName));
  ModelBuilder custom("product.attribute.custom.value", "Product Attribute Custom Value", "id");
  custom.Char("name", "Name");
  custom.Char("custom_value", "Custom Value");
  custom.Many2one("custom_product_template_attribute_value_id", "Attribute Value",
                  "product.template.attribute.value");
  models.push_back(custom.Build(NameOf));
}

}  // namespace

std::vector<ModelDef> AllModels(int version) {
  std::vector<ModelDef> models;
  models.push_back(SaleOrder(version));
  models.push_back(SaleOrderLine(version));
  models.push_back(Partner(version));
  models.push_back(Product());
  models.push_back(Template());
  models.push_back(Users());
  models.push_back(ApiKeys(version));
  AddGeography(models);
  AddMoney(models);
  AddAttributes(models);
  ModelBuilder uom("uom.uom", "Product Unit of Measure", "id");
  uom.Char("name", "Unit").Required();
  uom.Float("factor", "Ratio");
  uom.Float("rounding", "Rounding Precision");
  models.push_back(uom.Build(NameOf));
  models.push_back(Named("product.attribute", "Product Attribute"));
  models.push_back(Named("product.template.attribute.line", "Product Template Attribute Line"));
  models.push_back(Named("product.category", "Product Category", "name"));
  models.push_back(Named("product.pricelist", "Pricelist"));
  models.push_back(Named("account.payment.term", "Payment Terms"));
  models.push_back(Named("crm.tag", "CRM Tag"));
  models.push_back(Named("res.company", "Companies", "name"));
  return models;
}

}  // namespace poller::test
