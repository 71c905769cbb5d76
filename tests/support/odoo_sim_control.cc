#include "tests/support/odoo_sim_control.h"

#include <boost/json/array.hpp>
#include <mutex>
#include <utility>

#include "core/base/clock.h"
#include "core/base/status.h"
#include "tests/support/odoo_value.h"

namespace poller::test {
namespace {

namespace json = boost::json;

json::object Describe(const std::string& db, const SimOrder& order) {
  return {{"db", db},
          {"id", order.id},
          {"name", order.name},
          {"state", order.state},
          {"write_date", OdooDatetime(order.write_date)},
          {"write_date_us", absl::ToUnixMicros(order.write_date)},
          {"client_order_ref", order.client_order_ref},
          {"currency", order.currency},
          {"amount_total", order.amount_total},
          {"lines", order.lines.size()}};
}

TestReply Outcome(const absl::Status& status) {
  if (status.ok()) return ControlAnswer({{"ok", true}});
  return ControlError(absl::IsNotFound(status) ? 404 : 409, poller::Describe(status));
}

absl::Status Edit(SimDatabase& db, const SimOrder& order, const ControlBody& body) {
  const std::string what = body.Text("what", "ref");
  const std::string text = body.Text("value", "changed");
  if (what == "ref") return db.EditOrderRef(order.id, text);
  if (what == "note") return db.EditNote(order.id, text);
  if (what == "add-note") return db.AddNoteLine(order.id, text).status();
  if (what == "partner-street")
    return db.EditPartner(order.partner_id, "street", json::value(text));
  for (const SimLine& line : order.lines) {
    if (line.product_id == 0) continue;
    if (what == "price")
      return db.EditLinePrice(line.id, body.Number("value", line.price_unit + 1));
    if (what == "quantity")
      return db.EditLineQuantity(line.id, body.Number("value", line.quantity + 1));
    if (what == "description") return db.EditLineDescription(line.id, text);
    if (what == "product-code")
      return db.EditProduct(line.product_id, "default_code", json::value(text));
    if (what == "add-line") return db.AddLine(order.id, {.product_id = line.product_id}).status();
    return absl::NotFoundError("no edit is called " + what);
  }
  return absl::NotFoundError("the order has no line with a product");
}

}  // namespace

OdooSimControl::OdooSimControl(OdooSim& sim, std::uint64_t seed) : sim_(sim) {
  for (const std::string& name : sim.DatabaseNames()) {
    generators_[name] = std::make_unique<OrderGenerator>(sim.db(name), seed++);
  }
}

void OdooSimControl::CommitDue(absl::Time now) {
  const std::lock_guard lock(mu_);
  std::erase_if(held_, [&](const Held& held) {
    if (held.due > now) return false;
    sim_.db(held.db).Commit(held.tx);
    return true;
  });
}

TestReply OdooSimControl::ListOrders(const TestRequest& request) {
  const std::string only = QueryValue(request.query, "db");
  const bool all = !QueryValue(request.query, "all").empty();
  json::array orders;
  for (const auto& [name, generator] : generators_) {
    if (!only.empty() && only != name) continue;
    const SimDatabase& db = sim_.db(name);
    for (const SimOrder& order : all ? db.Orders() : db.ConfirmedOrders()) {
      orders.push_back(Describe(name, order));
    }
  }
  return ControlAnswer({{"orders", std::move(orders)}});
}

TestReply OdooSimControl::Counts() {
  json::object databases;
  for (const auto& [name, generator] : generators_) {
    std::map<std::string, int> by_state;
    for (const SimOrder& order : sim_.db(name).Orders()) ++by_state[order.state];
    json::object states;
    for (const auto& [state, count] : by_state) states[state] = count;
    databases[name] = std::move(states);
  }
  std::map<std::string, int> by_method;
  for (const OdooCall& call : sim_.Calls()) {
    ++by_method[call.model.empty() ? call.method : call.model + "." + call.method];
  }
  json::object calls;
  for (const auto& [method, count] : by_method) calls[method] = count;
  return ControlAnswer({{"databases", std::move(databases)}, {"calls", std::move(calls)}});
}

TestReply OdooSimControl::CreateOrders(SimDatabase& db, const ControlBody& body, bool bulk) {
  const Tx tx = bulk ? db.Begin() : Tx{};
  json::array ids;
  for (std::int64_t i = 0; i < body.Int("count", 1); ++i) {
    ids.push_back(generator(db.name()).ConfirmOne(tx));
  }
  const double hold = body.Number("hold_seconds");
  if (bulk && hold > 0) {
    const std::lock_guard lock(mu_);
    held_.push_back({SystemClock().Now() + absl::Seconds(hold), db.name(), tx});
  } else if (bulk) {
    db.Commit(tx);
  }
  return ControlAnswer({{"ids", std::move(ids)}});
}

TestReply OdooSimControl::Act(SimDatabase& db, const std::string& what, const ControlBody& body) {
  const RecordId id = body.Int("id");
  if (what == "confirm") return Outcome(db.ConfirmOrder(id));
  if (what == "cancel") return Outcome(db.CancelOrder(id));
  if (what == "draft") return Outcome(db.DraftOrder(id));
  if (what == "reconfirm") return Outcome(db.Reconfirm(id));
  if (what == "lock") return Outcome(db.LockOrder(id));
  if (what == "unlock") return Outcome(db.UnlockOrder(id));
  if (what == "touch") return Outcome(db.TouchOrder(id));
  if (what == "delete") return Outcome(db.DeleteOrder(id));
  if (what == "edit") {
    const std::optional<SimOrder> order = db.FindOrder(id);
    if (!order.has_value()) return ControlError(404, "no order " + std::to_string(id));
    return Outcome(Edit(db, *order, body));
  }
  return ControlError(404, "no such action: " + what);
}

TestReply OdooSimControl::AddFault(const ControlBody& body) {
  const std::optional<OdooFault::Kind> kind = FaultKindByName(body.Text("kind", "status"));
  if (!kind.has_value()) return ControlError(400, "kind: unknown: " + body.Text("kind"));
  OdooFault fault;
  fault.kind = *kind;
  fault.db = body.Text("db");
  fault.model = body.Text("model");
  fault.method = body.Text("method");
  fault.times = static_cast<int>(body.Int("times", -1));
  fault.status = static_cast<int>(body.Int("status", 503));
  if (body.Has("retry_after")) fault.retry_after = absl::Seconds(body.Int("retry_after"));
  fault.delay = absl::Milliseconds(body.Int("delay_ms"));
  fault.bytes = static_cast<std::uint64_t>(body.Int("bytes", 1));
  fault.name = body.Text("name", fault.name);
  fault.message = body.Text("message", fault.message);
  return ControlAnswer({{"id", sim_.faults().Add(std::move(fault))}});
}

TestReply OdooSimControl::SetVersion(const ControlBody& body) {
  const std::int64_t version = body.Int("version");
  if (version < 16 || version > 22) return ControlError(400, "version: 16 to 22");
  {
    // What is held cannot be carried over.
    const std::lock_guard lock(mu_);
    for (const Held& held : held_) sim_.db(held.db).Commit(held.tx);
    held_.clear();
  }
  sim_.SetVersion(static_cast<int>(version));
  return ControlAnswer({{"version", version}});
}

TestReply OdooSimControl::Handle(const TestRequest& request) {
  const std::string what = request.path.substr(std::string("/sim/").size());
  if (request.method == "GET") {
    if (what == "orders") return ListOrders(request);
    if (what == "counts") return Counts();
    return ControlError(404, "no such view: " + what);
  }
  const std::optional<ControlBody> body = ControlBody::Parse(request);
  if (!body.has_value()) return ControlError(400, "the body must be a JSON object");
  if (what == "fault") return AddFault(*body);
  if (what == "version") return SetVersion(*body);
  if (what == "clear-faults") {
    sim_.faults().Clear(body->Text("db"));
    return ControlAnswer({{"ok", true}});
  }
  const std::string name = body->Text("db");
  if (!generators_.contains(name))
    return ControlError(404, "db: there is no database \"" + name + "\"");
  SimDatabase& db = sim_.db(name);
  if (what == "orders" || what == "bulk") return CreateOrders(db, *body, what == "bulk");
  if (what == "key") {
    const absl::Duration expires = absl::Seconds(body->Int("expires_in_seconds"));
    db.SetKey(body->Text("login", "admin"), body->Text("key"),
              expires > absl::ZeroDuration() ? db.Now() + expires : absl::InfiniteFuture());
    return ControlAnswer({{"ok", true}});
  }
  if (what == "rights") {
    const std::string rights = body->Text("rights", "all");
    db.SetRights(body->Text("login", "admin"), rights == "none"  ? Rights::kNone
                                               : rights == "own" ? Rights::kOwnDocuments
                                                                 : Rights::kAll);
    return ControlAnswer({{"ok", true}});
  }
  return Act(db, what, *body);
}

}  // namespace poller::test
