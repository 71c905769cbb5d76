#include "core/polling/odoo_check.h"

#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/base/url.h"
#include "core/odoo/version.h"
#include "core/orders/order_mapper.h"
#include "core/polling/poll_window.h"

namespace poller {
namespace {

using Result = TestStep::Result;

constexpr const char* kSteps[] = {"dns",   "connect", "tls",  "version",
                                  "login", "rights",  "read", "clocks"};
constexpr const char* kModels[] = {"sale.order", "sale.order.line", "res.partner",
                                   "product.product"};
// Differences below that are the network's.
constexpr absl::Duration kClockTolerance = absl::Seconds(30);

std::string HintFor(odoo::ErrorKind kind) {
  switch (kind) {
    case odoo::ErrorKind::kCredentials:
      return "check the user name and the API key in Odoo (Preferences, Account Security); a key "
             "may have expired";
    case odoo::ErrorKind::kRights:
      return "give the user read access to this model in Odoo (Sales: user, all documents)";
    case odoo::ErrorKind::kRecord:
      return "the user may not read one of the records that an order needs: check record rules and "
             "companies";
    case odoo::ErrorKind::kDatabaseMissing:
      return "check the name of the database";
    case odoo::ErrorKind::kServerDown:
      return "Odoo or its database does not work just now: try again, or ask its administrator";
    case odoo::ErrorKind::kRateLimited:
      return "Odoo asks us to wait: try again later, with a longer interval";
    case odoo::ErrorKind::kTooMuch:
      return "Odoo is too slow: try again, or ask its administrator";
    case odoo::ErrorKind::kQuery:
      return "this Odoo lacks something that we ask for: is the Sales app installed?";
    case odoo::ErrorKind::kProtocolGone:
      return "there is no Odoo API at this address: check the URL";
    case odoo::ErrorKind::kLocal:
      return "this server is short of memory or sockets just now: try again";
    case odoo::ErrorKind::kGarbage:
      return "what answers at this address is not Odoo: check the URL, and any proxy before it";
  }
  return "";
}

std::string HintFor(const absl::Status& status) {
  const auto failure = TransportFailureOf(status);
  if (failure == TransportFailure::kDns) return "check the host name in the URL";
  if (failure == TransportFailure::kConnect)
    return "check host and port of the URL, and firewalls on the way";
  if (failure == TransportFailure::kTls) {
    return "check the server's certificate; give its CA with the connection if it is a private one";
  }
  if (failure == TransportFailure::kEgressDenied)
    return "the server's operator must allow this address (--egress-allow)";
  const auto kind = odoo::ErrorKindOf(status);
  return kind.has_value() ? HintFor(*kind) : "";
}

std::string Text(absl::Duration difference) {
  const absl::Duration seconds = absl::Trunc(absl::AbsDuration(difference), absl::Seconds(1));
  // A Date has whole seconds.
  if (seconds == absl::ZeroDuration()) return "less than 1s";
  return (difference < absl::ZeroDuration() ? "-" : "") + poller::FormatDuration(seconds);
}

}  // namespace

odoo::Target TargetOf(const ConnectionSettings& settings, const PollingOptions& options) {
  odoo::Target target;
  target.url = settings.odoo.url;
  target.database = settings.odoo.database;
  target.username = settings.odoo.username;
  target.api_key = settings.odoo.api_key;
  target.company_ids = settings.odoo.company_ids;
  target.ca_pem = settings.odoo.ca_pem.empty() ? options.default_ca_pem : settings.odoo.ca_pem;
  target.protocol = settings.odoo.protocol;
  target.timeout = options.timeout;
  target.max_response_bytes = options.max_response_bytes;
  return target;
}

OdooCheck::OdooCheck(HttpClient& http, const Clock& clock, const PollingOptions& options,
                     std::shared_ptr<IngestLane> turn, ConnectionSettings settings)
    : http_(http),
      clock_(clock),
      turn_(std::move(turn)),
      settings_(std::move(settings)),
      target_(TargetOf(settings_, options)),
      client_(http, target_, odoo::Session{}) {}

Task<std::vector<TestStep>> OdooCheck::Run() {
  bool go_on = co_await Reach();
  if (go_on) go_on = co_await Version();
  if (go_on) go_on = co_await Login();
  if (go_on) go_on = co_await Rights();
  if (go_on) co_await Read();
  if (go_on) Clocks();
  SkipRest();
  co_return std::move(steps_);
}

Task<bool> OdooCheck::Reach() {
  HttpRequest request;
  request.method = "GET";
  const auto url = ParseUrl(settings_.odoo.url);
  request.url = (url.ok() ? url->Origin() : settings_.odoo.url) + "/web/health";
  request.timeout = target_.timeout;
  request.max_response_bytes = target_.max_response_bytes;
  request.ca_pem = target_.ca_pem;
  const absl::Duration began = clock_.Monotonic();
  auto turn = co_await turn_->Acquire(LanePriority::kRequest);
  auto response = co_await http_.Send(std::move(request));
  if (response.ok()) {
    Reached(*response);
    co_return true;
  }
  ReachFailed(response.status(), clock_.Monotonic() - began);
  co_return false;
}

void OdooCheck::Reached(const HttpResponse& response) {
  Add("dns", Result::kOk, response.name_lookup, "");
  Add("connect", Result::kOk, response.connect - response.name_lookup, response.peer);
  if (settings_.odoo.url.starts_with("https:")) {
    Add("tls", Result::kOk, response.tls - response.connect, "certificate verified");
  } else {
    Add("tls", Result::kSkipped, absl::ZeroDuration(), "plain http");
  }
}

void OdooCheck::ReachFailed(const absl::Status& status, absl::Duration took) {
  const auto failure = TransportFailureOf(status);
  const std::string detail(Message(status));
  const std::string hint = HintFor(status);
  if (failure == TransportFailure::kDns) {
    Add("dns", Result::kFailed, took, detail, hint);
    return;
  }
  Add("dns", Result::kOk, absl::ZeroDuration(), "");
  if (failure == TransportFailure::kTls) {
    Add("connect", Result::kOk, absl::ZeroDuration(), "");
    Add("tls", Result::kFailed, took, detail, hint);
    return;
  }
  Add("connect", Result::kFailed, took, detail,
      hint.empty() ? "what answers is not a web server that works" : hint);
}

Task<bool> OdooCheck::Version() {
  const absl::Duration began = clock_.Monotonic();
  auto turn = co_await turn_->Acquire(LanePriority::kRequest);
  auto version = co_await client_.Version();
  const absl::Duration took = clock_.Monotonic() - began;
  if (!version.ok()) co_return Report("version", version.status(), took, "");
  const OdooProtocol in_use = client_.session().protocol;
  Add("version", Result::kOk, took,
      "Odoo " + *version + ", over " + std::string(odoo::ProtocolName(in_use)),
      odoo::ProtocolWarning(*version, in_use, settings_.odoo.url, clock_.Now()));
  co_return true;
}

Task<bool> OdooCheck::Login() {
  const absl::Duration began = clock_.Monotonic();
  auto turn = co_await turn_->Acquire(LanePriority::kRequest);
  const absl::Status status = co_await client_.Login();
  if (!status.ok()) co_return Report("login", status, clock_.Monotonic() - began, "");
  std::string detail = "user id " + std::to_string(client_.session().uid);
  std::string hint;
  const auto expires = co_await client_.KeyExpiry();
  if (expires.ok() && expires->has_value()) {
    const absl::Time end = **expires;
    detail += "; an API key of this user ends at " + poller::FormatTime(end);
    if (clock_.Now() >= end - kKeyWarning) {
      hint = "make a new key in Odoo (Preferences, Account Security) and edit the connection";
    }
  }
  Add("login", Result::kOk, clock_.Monotonic() - began, std::move(detail), std::move(hint));
  co_return true;
}

Task<bool> OdooCheck::Rights() {
  const absl::Duration began = clock_.Monotonic();
  auto turn = co_await turn_->Acquire(LanePriority::kRequest);
  for (const char* model : kModels) {
    const absl::Status status = co_await client_.CheckReadable(model);
    if (!status.ok()) co_return Report("rights", status, clock_.Monotonic() - began, "");
  }
  std::string hint;
  const auto sees_all = co_await client_.SeesAllDocuments();
  // Not a failure: users with rights from elsewhere (accountants) see all orders without it.
  if (sees_all.ok() && *sees_all == false) {
    hint =
        "the user is not in the group Sales / User: All Documents; if they are a salesman they see "
        "their own orders alone, and no others will arrive";
  }
  Add("rights", Result::kOk, clock_.Monotonic() - began,
      "orders, lines, partners and products can be read", std::move(hint));
  co_return true;
}

Task<void> OdooCheck::Read() {
  const absl::Duration began = clock_.Monotonic();
  auto turn = co_await turn_->Acquire(LanePriority::kRequest);
  auto newest = co_await client_.NewestOrders(1);
  if (!newest.ok()) {
    Report("read", newest.status(), clock_.Monotonic() - began, "");
    co_return;
  }
  if (newest->orders.empty()) {
    Add("read", Result::kOk, clock_.Monotonic() - began, "no confirmed order is visible",
        "if the shop has confirmed orders, the user sees only their own: give them access to all "
        "documents");
    co_return;
  }
  newest_write_date_ = newest->orders.front().write_date;
  std::vector<OrderId> ids(1, newest->orders.front().id);
  auto fetched = co_await client_.ReadOrders(std::move(ids));
  const absl::Duration took = clock_.Monotonic() - began;
  if (!fetched.ok()) {
    Report("read", fetched.status(), took, "");
    co_return;
  }
  if (fetched->orders.empty()) {
    Add("read", Result::kOk, took, "the newest order went away while it was read");
    co_return;
  }
  const RelatedRecords related{fetched->lines, fetched->partners, fetched->products,
                               fetched->templates, fetched->attribute_values};
  const auto order = MapOrder(fetched->orders.front(), related, settings_.odoo.database);
  if (!order.ok()) {
    Add("read", Result::kFailed, took, std::string(Message(order.status())),
        "correct the order in Odoo; others may be well");
    co_return;
  }
  Add("read", Result::kOk, took,
      order->name + ", " + std::to_string(order->items.size()) + " items");
}

void OdooCheck::Clocks() {
  const auto date = client_.last_date();
  if (!date.has_value()) {
    Add("clocks", Result::kFailed, absl::ZeroDuration(), "Odoo's answers carry no Date header",
        "let the proxy before Odoo pass the Date header on: without it every poll lists the same "
        "orders again");
    return;
  }
  const absl::Duration ours = *date - clock_.Now();
  std::string detail = "Odoo's clock minus ours: " + Text(ours);
  const auto written = ParseOdooTime(newest_write_date_);
  if (written.ok() && *written > *date + kClockTolerance) {
    Add("clocks", Result::kFailed, absl::ZeroDuration(),
        detail + "; its database is at least " + Text(*written - *date) +
            " ahead of its web server",
        "set the clocks of Odoo's machines, or give the connection an overlap longer than that");
    return;
  }
  const bool far = absl::AbsDuration(ours) > kClockTolerance;
  // Polls use Odoo's clock alone, so that a difference to ours harms nothing.
  Add("clocks", Result::kOk, absl::ZeroDuration(), std::move(detail),
      far ? "set the clocks, to read logs of both together" : "");
}

void OdooCheck::Add(std::string name, Result result, absl::Duration took, std::string detail,
                    std::string hint) {
  TestStep step;
  step.name = std::move(name);
  step.result = result;
  step.duration = took;
  step.detail = std::move(detail);
  step.hint = std::move(hint);
  steps_.push_back(std::move(step));
}

bool OdooCheck::Report(std::string name, const absl::Status& status, absl::Duration took,
                       std::string detail) {
  if (status.ok()) {
    Add(std::move(name), Result::kOk, took, std::move(detail));
  } else {
    Add(std::move(name), Result::kFailed, took, std::string(Message(status)), HintFor(status));
  }
  return status.ok();
}

void OdooCheck::SkipRest() {
  for (std::size_t i = steps_.size(); i < std::size(kSteps); ++i) {
    Add(kSteps[i], Result::kSkipped, absl::ZeroDuration(), "");
  }
}

}  // namespace poller
