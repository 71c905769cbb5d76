#include "core/polling/odoo_link.h"

#include <utility>

#include "core/polling/odoo_check.h"
#include "core/polling/paced_http.h"

namespace poller {
namespace {

bool SameTarget(const odoo::Target& a, const odoo::Target& b) {
  return a.url == b.url && a.database == b.database && a.username == b.username &&
         a.api_key == b.api_key && a.company_ids == b.company_ids && a.ca_pem == b.ca_pem &&
         a.protocol == b.protocol;
}

}  // namespace

bool OdooLink::Use(const ConnectionWithState& connection) {
  if (connection.connection.version < version_) return false;
  version_ = connection.connection.version;
  const bool begun_before = std::exchange(begun_, connection.state.HasBegun());
  odoo::Target target = TargetOf(connection.connection.settings, options_);
  odoo::Session stored{connection.state.odoo_uid, connection.state.odoo_version,
                       connection.state.odoo_protocol};
  const absl::Duration gap = CallGap(connection.connection.settings.odoo, options_);
  const bool edited = client_ != nullptr;
  if (edited && SameTarget(target_, target) && gap_ == gap) {
    // Another Odoo under the same address: its login was forgotten together with the marks.
    const bool replaced = stored.uid == 0 && !begun_ && client_->session().uid != 0 && begun_before;
    if (!replaced) return false;
  }
  // The new key, or the new address, may want another protocol than the old one.
  if (edited) stored.protocol = OdooProtocol::kAuto;
  turn_ = turns_.For(target.url, target.database);
  auto http = std::make_shared<PacedHttp>(http_, clock_, sleeper_, turn_, gap);
  auto client = std::make_unique<odoo::Client>(*http, target, stored);
  // Whoever still uses a client uses what it calls through.
  client_ = std::shared_ptr<odoo::Client>(client.release(),
                                          [http](odoo::Client* owned) { delete owned; });
  target_ = std::move(target);
  gap_ = gap;
  edited_ = edited;
  return edited;
}

}  // namespace poller
