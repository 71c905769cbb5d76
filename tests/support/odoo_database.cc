#include "tests/support/odoo_database.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "core/base/clock.h"
#include "core/base/status.h"
#include "tests/support/odoo_upgrade.h"
#include "tests/support/odoo_value.h"
#include "tests/support/odoo_work.h"

namespace poller::test {
namespace {

[[noreturn]] void Misuse(const std::string& what) {
  std::fprintf(stderr, "simulated Odoo: %s\n", what.c_str());
  std::abort();
}

SimLine ReadLine(const StoreView& view, RecordId id) {
  const ModelDef& model = view.schema().At("sale.order.line");
  const Record& record = *view.Find(model, id);
  SimLine line;
  line.id = id;
  line.product_id = view.Ref(model, record, "product_id");
  line.name = view.Text(model, record, "name");
  line.display_type = view.Text(model, record, "display_type");
  line.quantity = view.Number(model, record, "product_uom_qty");
  line.price_unit = view.Number(model, record, "price_unit");
  line.discount = view.Number(model, record, "discount");
  line.price_subtotal = view.Number(model, record, "price_subtotal");
  line.price_total = view.Number(model, record, "price_total");
  line.write_date = std::get<absl::Time>(view.Value(model, record, "write_date"));
  return line;
}

SimOrder ReadOrder(const StoreView& view, const Record& record) {
  const ModelDef& model = view.schema().At("sale.order");
  SimOrder order;
  order.id = record.id;
  order.partner_id = view.Ref(model, record, "partner_id");
  order.shipping_id = view.Ref(model, record, "partner_shipping_id");
  order.name = view.Text(model, record, "name");
  order.state = view.Text(model, record, "state");
  order.note = view.Text(model, record, "note");
  order.client_order_ref = view.Text(model, record, "client_order_ref");
  order.currency =
      view.DisplayName(view.schema().At("res.currency"), view.Ref(model, record, "currency_id"));
  const FieldValue written = view.Value(model, record, "write_date");
  if (const auto* time = std::get_if<absl::Time>(&written)) order.write_date = *time;
  const FieldValue ordered = view.Value(model, record, "date_order");
  if (const auto* time = std::get_if<absl::Time>(&ordered)) order.date_order = *time;
  order.amount_untaxed = view.Number(model, record, "amount_untaxed");
  order.amount_tax = view.Number(model, record, "amount_tax");
  order.amount_total = view.Number(model, record, "amount_total");
  const ModelDef& lines = view.schema().At("sale.order.line");
  for (const RecordId id : view.Children(lines, lines.At("order_id"), record.id)) {
    order.lines.push_back(ReadLine(view, id));
  }
  return order;
}

}  // namespace

SimDatabase::SimDatabase(Options options)
    : options_(std::move(options)),
      schema_(std::make_unique<Schema>(options_.version)),
      store_(std::make_unique<Store>(*schema_)) {
  if (!options_.clock) options_.clock = [] { return SystemClock().Now(); };
  if (options_.seed && options_.is_odoo) Seed();
}

void SimDatabase::Upgrade(int version) {
  const std::lock_guard lock(mu_);
  if (!open_.empty()) Misuse("an upgrade while a transaction is open");
  auto schema = std::make_unique<const Schema>(version);
  auto store = std::make_unique<Store>(*schema);
  CopyUpgraded(*store_, *store);
  store_ = std::move(store);
  schema_ = std::move(schema);
  options_.version = version;
}

Tx SimDatabase::Begin() {
  const std::lock_guard lock(mu_);
  const std::uint64_t id = next_tx_++;
  open_.emplace(id, store_->Begin(Now()));
  return Tx{id};
}

void SimDatabase::Commit(Tx tx) {
  const std::lock_guard lock(mu_);
  const auto found = open_.find(tx.id);
  if (found == open_.end()) Misuse("commit of a transaction that is not open");
  store_->Commit(tx.id, found->second);
  open_.erase(found);
}

void SimDatabase::Rollback(Tx tx) {
  const std::lock_guard lock(mu_);
  if (open_.erase(tx.id) == 0) Misuse("rollback of a transaction that is not open");
  store_->Rollback(tx.id);
}

absl::Status SimDatabase::Run(Tx tx, const std::function<absl::Status(Work&)>& act) {
  const std::lock_guard lock(mu_);
  if (tx.id != 0) {
    const auto found = open_.find(tx.id);
    if (found == open_.end()) Misuse("use of a transaction that is not open");
    // An act that fails half-way leaves nothing, as a savepoint would.
    const Overlay before = found->second;
    Work work(*store_, found->second, tx.id, Now());
    absl::Status done = act(work);
    if (!done.ok()) found->second = before;
    return done;
  }
  const std::uint64_t id = next_tx_++;
  const absl::Time now = Now();
  Overlay overlay = store_->Begin(now);
  Work work(*store_, overlay, id, now);
  absl::Status done = act(work);
  if (done.ok()) {
    store_->Commit(id, overlay);
  } else {
    store_->Rollback(id);
  }
  return done;
}

void SimDatabase::Insert(std::string_view model, RecordId id, const boost::json::object& values) {
  const std::lock_guard lock(mu_);
  const ModelDef& def = schema_->At(model);
  Record record;
  record.id = id;
  record.values.resize(def.fields.size());
  Work::Set(def, record, "id", id);
  if (def.Find("active") != nullptr) Work::Set(def, record, "active", true);
  Work::SetAll(def, record, values);
  store_->ReserveId(def, id);
  const std::uint64_t tx = next_tx_++;
  Overlay overlay = store_->Begin(Now());
  if (absl::Status put = store_->Put(tx, overlay, def, std::move(record)); !put.ok()) {
    Misuse("insert into a row that a transaction holds");
  }
  store_->Commit(tx, overlay);
}

absl::Status SimDatabase::Write(std::string_view model, RecordId id,
                                const boost::json::object& values, Tx tx) {
  return Run(tx, [&](Work& work) { return work.WriteFields(schema_->At(model), id, values); });
}

std::optional<SimOrder> SimDatabase::FindOrder(RecordId order) const {
  const std::lock_guard lock(mu_);
  const StoreView view(*store_);
  const Record* record = view.Find(schema_->At("sale.order"), order);
  if (record == nullptr) return std::nullopt;
  return ReadOrder(view, *record);
}

std::vector<SimOrder> SimDatabase::Orders() const {
  const std::lock_guard lock(mu_);
  const StoreView view(*store_);
  std::vector<SimOrder> orders;
  for (const auto& [id, record] : store_->Rows(schema_->At("sale.order"))) {
    orders.push_back(ReadOrder(view, *record));
  }
  return orders;
}

std::vector<SimOrder> SimDatabase::ConfirmedOrders() const {
  std::vector<SimOrder> orders = Orders();
  std::erase_if(
      orders, [](const SimOrder& order) { return order.state != "sale" && order.state != "done"; });
  return orders;
}

RecordId SimDatabase::FindByName(std::string_view model, std::string_view name) const {
  const std::lock_guard lock(mu_);
  const StoreView view(*store_);
  const ModelDef& def = schema_->At(model);
  for (const auto& [id, record] : store_->Rows(def)) {
    if (view.Text(def, *record, "name") == name) return id;
  }
  return 0;
}

RecordId SimDatabase::AddUser(const UserSpec& spec) {
  RecordId uid = spec.uid;
  boost::json::array companies(spec.companies.begin(), spec.companies.end());
  boost::json::object values = {
      {"name", spec.login}, {"login", spec.login}, {"company_ids", companies}};
  if (!spec.companies.empty()) values["company_id"] = spec.companies.front();
  if (uid == 0) {
    const std::lock_guard lock(mu_);
    uid = store_->NextId(schema_->At("res.users"));
  }
  Insert("res.users", uid, values);
  UserSpec known = spec;
  known.uid = uid;
  {
    const std::lock_guard lock(mu_);
    users_[uid] = SimUser{known, true};
  }
  if (!known.api_key.empty()) WriteKey(known);
  return uid;
}

namespace {

SimUser& UserOf(std::map<RecordId, SimUser>& users, const std::string& login) {
  for (auto& [uid, user] : users) {
    if (user.spec.login == login) return user;
  }
  Misuse("there is no user " + login);
}

}  // namespace

void SimDatabase::SetRights(const std::string& login, Rights rights) {
  const std::lock_guard lock(mu_);
  UserOf(users_, login).spec.rights = rights;
}

void SimDatabase::SetKey(const std::string& login, const std::string& api_key, absl::Time expires) {
  UserSpec spec;
  {
    const std::lock_guard lock(mu_);
    SimUser& user = UserOf(users_, login);
    user.spec.api_key = api_key;
    user.spec.key_expires = expires;
    spec = user.spec;
  }
  WriteKey(spec);
}

// One key a user: its record has the user's id.
void SimDatabase::WriteKey(const UserSpec& user) {
  if (user.api_key.empty()) {
    Run({}, [&](Work& work) {
      return work.Delete(schema_->At("res.users.apikeys"), user.uid);
    }).IgnoreError();
    return;
  }
  boost::json::object values = {{"name", "poller"}, {"user_id", user.uid}, {"scope", "rpc"}};
  if (schema_->At("res.users.apikeys").Find("expiration_date") != nullptr &&
      user.key_expires != absl::InfiniteFuture()) {
    values["expiration_date"] = OdooDatetime(user.key_expires);
  }
  Insert("res.users.apikeys", user.uid, values);
}

void SimDatabase::SetActive(const std::string& login, bool active) {
  const std::lock_guard lock(mu_);
  UserOf(users_, login).active = active;
}

RecordId SimDatabase::AddCompany(const std::string& name) {
  RecordId id = 0;
  Run({}, [&](Work& work) {
    id = work.Named("res.company", name);
    return absl::OkStatus();
  }).IgnoreError();
  return id;
}

std::optional<SimUser> SimDatabase::FindUser(RecordId uid) const {
  const std::lock_guard lock(mu_);
  const auto found = users_.find(uid);
  if (found == users_.end()) return std::nullopt;
  return found->second;
}

bool SimDatabase::IsKey(const SimUser& user, std::string_view key) const {
  return user.active && !key.empty() && user.spec.api_key == key && Now() < user.spec.key_expires;
}

std::optional<SimUser> SimDatabase::FindUserByKey(std::string_view key) const {
  const std::lock_guard lock(mu_);
  for (const auto& [uid, user] : users_) {
    if (IsKey(user, key)) return user;
  }
  return std::nullopt;
}

RecordId SimDatabase::Authenticate(std::string_view login, std::string_view secret) const {
  const std::lock_guard lock(mu_);
  for (const auto& [uid, user] : users_) {
    if (user.spec.login != login || !user.active || secret.empty()) continue;
    if (IsKey(user, secret) || user.spec.password == secret) return uid;
  }
  return 0;
}

bool SimDatabase::CheckSecret(RecordId uid, std::string_view secret) const {
  const std::lock_guard lock(mu_);
  const auto found = users_.find(uid);
  if (found == users_.end() || !found->second.active || secret.empty()) return false;
  return IsKey(found->second, secret) || found->second.spec.password == secret;
}

void SimDatabase::SetRecordFault(std::string_view model, RecordId id, RecordFault fault) {
  const std::lock_guard lock(mu_);
  faults_[{schema_->At(model).number, id}] = std::move(fault);
}

void SimDatabase::ClearRecordFaults() {
  const std::lock_guard lock(mu_);
  faults_.clear();
}

void SimDatabase::ReadOnly(const std::function<void(const StoreView&, const Faults&)>& read) const {
  const std::lock_guard lock(mu_);
  read(StoreView(*store_), faults_);
}

}  // namespace poller::test
