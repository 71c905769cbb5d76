// One shop's Odoo, as far as the poller needs it.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/http/http_client.h"
#include "core/model/connection.h"
#include "core/model/ids.h"
#include "core/odoo/error_kind.h"

namespace poller::odoo {

// Where to call and as whom.
struct Target {
  std::string url, database, username;
  Secret api_key;
  std::vector<std::int64_t> company_ids;
  std::string ca_pem;
  OdooProtocol protocol = OdooProtocol::kAuto;
  absl::Duration timeout = absl::Seconds(30);
  std::int64_t max_response_bytes = 32 << 20;
};

// What is worth keeping between calls and runs.
struct Session {
  std::int64_t uid = 0;                         // 0: not logged in
  std::string server_version;                   // "17.0"; empty: unknown
  OdooProtocol protocol = OdooProtocol::kAuto;  // the one in use; kAuto: not chosen yet
};

using RecordMap = std::map<std::int64_t, boost::json::object>;

struct ListedOrder {
  OrderId id;
  std::string write_date;
  std::string state;
  std::string date_order;  // of the listings by date alone
};
struct OrderPage {
  std::vector<ListedOrder> orders;  // rising ids
  bool complete = false;            // nothing follows
  std::optional<absl::Time> date;   // the answer's Date header
};

// Confirmed orders with date_order in [since, until), whole seconds of Odoo's clock.
struct DateRange {
  absl::Time since = absl::InfinitePast();
  absl::Time until = absl::InfiniteFuture();
};

struct ListedLine {
  std::int64_t id = 0;
  OrderId order;
  std::string write_date;
};
struct LinePage {
  std::vector<ListedLine> lines;  // rising line ids
  bool complete = false;
  std::optional<absl::Time> date;
};

// Orders in full. many2one fields are [id, display_name] or false, whatever call brought them.
struct FetchedOrders {
  std::vector<boost::json::object> orders;  // those that exist
  RecordMap lines, partners, products, templates, attribute_values;
  // Orders whose write_date moved between the first and the last read: their parts may not fit
  // together.
  std::vector<OrderId> torn;
  std::optional<absl::Time> date;  // of the first answer
};

// A client of one Odoo. Calls are made one at a time; not synchronised: used by one coroutine at a
// time. It logs in when it must, keeps the uid, and logs in again once when a call is refused for
// it. All errors carry an ErrorKind; no message holds a secret.
class Client {
 public:
  // `http` outlives the client.
  Client(HttpClient& http, Target target, Session session);
  ~Client();

  // "17.0". Works without login. With a target of kAuto it chooses the protocol anew, and JSON-2 is
  // chosen only where it takes our key: a login then.
  Task<absl::StatusOr<std::string>> Version();
  // Logs in whether or not a uid is known.
  Task<absl::Status> Login();

  // Orders with state sale, done or cancel and write_date >= `from` (whole seconds), id > `after`,
  // by id; at most `limit`.
  Task<absl::StatusOr<OrderPage>> ListOrders(absl::Time from, OrderId after, int limit);
  // Ids of the newest confirmed orders, newest first.
  Task<absl::StatusOr<OrderPage>> NewestOrders(int count);
  // Confirmed orders of a range with id > `after`, by id; at most `limit`.
  Task<absl::StatusOr<OrderPage>> ListDated(DateRange range, OrderId after, int limit);
  // How many a range has.
  Task<absl::StatusOr<std::int64_t>> CountDated(DateRange range);
  // The `n`-th newest of a range (1: the newest) by date_order, then id; an empty page: it has fewer.
  Task<absl::StatusOr<OrderPage>> NthNewestDated(DateRange range, int n);
  // Those of `ids` that exist, with their state (any); for orders that vanished from a listing.
  Task<absl::StatusOr<OrderPage>> LookUp(std::vector<OrderId> ids);
  // Confirmed or cancelled orders of these names.
  Task<absl::StatusOr<OrderPage>> FindByName(std::vector<std::string> names);
  // Lines changed since `from` of confirmed orders dated since `order_date_from`, line id >
  // `after`.
  Task<absl::StatusOr<LinePage>> ListChangedLines(absl::Time from, absl::Time order_date_from,
                                                  std::int64_t after, int limit);
  // Reads at most 100 orders in full, without a call for each: orders, lines, partners, products,
  // templates where needed, attribute values, and the orders' write_date once more. Fields that
  // this Odoo lacks are left out.
  Task<absl::StatusOr<FetchedOrders>> ReadOrders(std::vector<OrderId> ids);
  // OK if the user may read `model`; kRights if not.
  Task<absl::Status> CheckReadable(std::string model);
  // Whether the user is in the group "Sales / User: All Documents": a salesman who is not sees their
  // own orders alone, and no call says so. Nothing: this Odoo does not tell.
  Task<absl::StatusOr<std::optional<bool>>> SeesAllDocuments();
  // When the first of the user's API keys ends that has not ended yet: Odoo does not tell which of
  // them is ours. Nothing: none of them ends, or this Odoo does not tell (before 18).
  Task<absl::StatusOr<std::optional<absl::Time>>> KeyExpiry();
  // The Date header of the newest answer.
  std::optional<absl::Time> last_date() const;

  const Session& session() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace poller::odoo
