#include "core/polling/odoo_link.h"

#include <utility>

#include "core/polling/odoo_check.h"

namespace poller {
namespace {

bool SameTarget(const odoo::Target& a, const odoo::Target& b) {
  return a.url == b.url && a.database == b.database && a.username == b.username &&
         a.api_key == b.api_key && a.company_ids == b.company_ids && a.ca_pem == b.ca_pem;
}

}  // namespace

bool OdooLink::Use(const ConnectionWithState& connection) {
  if (connection.connection.version < version_) return false;
  version_ = connection.connection.version;
  const bool begun_before = std::exchange(begun_, connection.state.HasBegun());
  odoo::Target target = TargetOf(connection.connection.settings, options_);
  const odoo::Session stored{connection.state.odoo_uid, connection.state.odoo_version};
  const bool edited = client_ != nullptr;
  if (edited && SameTarget(target_, target)) {
    // Another Odoo under the same address: its login was forgotten together with the marks.
    const bool replaced = stored.uid == 0 && !begun_ && client_->session().uid != 0 && begun_before;
    if (!replaced) return false;
  }
  client_ = std::make_shared<odoo::Client>(http_, target, stored);
  turn_ = turns_.For(target.url, target.database);
  target_ = std::move(target);
  return edited;
}

}  // namespace poller
