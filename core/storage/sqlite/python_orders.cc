#include "core/storage/sqlite/python_orders.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/storage/sqlite/python_poller_file.h"

namespace poller {
namespace {

namespace json = boost::json;
using Fate = ImportedOrder::Fate;

constexpr std::size_t kMaxRecord = 64 << 10;
constexpr std::size_t kMaxName = 200;

// A row of either table, understood.
struct Deed {
  Fate fate = Fate::kSent;
  bool retried = false;  // kSent: by its retry queue
  absl::Time at;         // sent; or queued, which is when the order was read
  ImportedOrder order;   // write_date is empty if the row does not tell it
};

// Of two states of an order the later one, as far as both tell when Odoo wrote them. A state that was
// sent and one that was queued under the same write_date are the same: it was sent.
bool IsLater(const Deed& a, const Deed& b) {
  const std::string& written_a = a.order.write_date;
  const std::string& written_b = b.order.write_date;
  if (written_a.empty() || written_b.empty()) return a.at > b.at;
  const bool sent_a = a.fate == Fate::kSent;
  const bool sent_b = b.fate == Fate::kSent;
  return std::tie(written_a, sent_a, a.at) > std::tie(written_b, sent_b, b.at);
}

std::string Where(const char* table, std::int64_t id) {
  return std::string(table) + " row " + std::to_string(id) + ": ";
}

// The write_date in the payload that was to be sent; empty: it does not tell one.
std::string WriteDateIn(const std::string& payload) {
  json::error_code error;
  const json::value value = json::parse(payload, error);
  if (error) return "";
  json::error_code found;
  const json::value* date = value.find_pointer("/order/write_date", found);
  if (date == nullptr || !date->is_string()) return "";
  const json::string& text = date->get_string();
  const auto time = ParsePythonTime(std::string(text.data(), text.size()));
  return time.ok() ? FormatOdooTime(*time) : "";
}

// What `pollerctl` shows of an order that was sent.
std::string SentRecord(const ImportedOrder& order) {
  json::object record;
  record["id"] = order.order.value();
  record["name"] = order.name;
  record["write_date"] = order.write_date;
  return json::serialize(record);
}

// The columns of one row that are to be understood.
class Row {
 public:
  Row(const Query& query, const char* table, const std::function<void(const std::string&)>& bad)
      : query_(query), table_(table), bad_(bad) {}
  // The first problem of the row is told.
  bool Read(Deed& deed) {
    deed.order.order = query_.As<OrderId>(1);
    deed.order.name = SafeText(query_.Text(2), kMaxName);
    if (deed.order.order.value() > 0) return true;
    return Bad("odoo_order_id is no id");
  }
  bool Read(int column, const char* name, absl::Time& time) {
    const auto parsed = ParsePythonTime(query_.Text(column));
    if (!parsed.ok()) return Bad(std::string(name) + " " + std::string(Message(parsed.status())));
    time = *parsed;
    return true;
  }

 private:
  bool Bad(const std::string& what) {
    bad_(Where(table_, query_.Int(0)) + what);
    return false;
  }
  const Query& query_;
  const char* const table_;
  const std::function<void(const std::string&)>& bad_;
};

using Bad = std::function<void(const std::string&)>;

// Nothing: the row cannot be understood, and was told to `bad`.
std::optional<Deed> SentDeed(const Query& query, const Bad& bad) {
  Row row(query, "sent_orders", bad);
  Deed deed;
  absl::Time written;
  if (!row.Read(deed) || !row.Read(3, "odoo_write_date", written) ||
      !row.Read(4, "sent_at", deed.at))
    return std::nullopt;
  deed.order.write_date = FormatOdooTime(written);
  deed.order.attempts = 1;
  deed.order.record = SentRecord(deed.order);
  return deed;
}

std::optional<Deed> QueuedDeed(const Query& query, const Bad& bad) {
  Row row(query, "retry_queue", bad);
  Deed deed;
  if (!row.Read(deed) || !row.Read(7, "created_at", deed.at)) return std::nullopt;
  const std::string status = query.Text(4);
  if (status == "pending") {
    deed.fate = Fate::kOwed;
  } else if (status == "discarded") {
    deed.fate = Fate::kGivenUp;
  } else if (status == "sent") {
    deed.retried = true;
  } else {
    bad(Where("retry_queue", query.Int(0)) + "status \"" + SafeText(status, 60) +
        "\" is none of pending, sent and discarded");
    return std::nullopt;
  }
  const std::string payload = query.Text(3);
  deed.order.write_date = WriteDateIn(payload);
  deed.order.record = SafeText(payload, kMaxRecord, /*keep_newlines=*/true);
  deed.order.attempts = static_cast<int>(std::clamp<std::int64_t>(query.Int(5), 1, 1 << 20));
  deed.order.error = query.Text(6);
  return deed;
}

// The rows of a connection in one table, by order: one ahead, those that cannot be understood left
// out.
class Deeds {
 public:
  using Understand = std::optional<Deed> (*)(const Query& query, const Bad& bad);
  Deeds(Database& db, std::string_view sql, std::int64_t connection, Understand understand,
        const Bad& bad)
      : understand_(understand), bad_(bad), query_(db.Run(sql, connection)) {
    Advance();
  }
  const std::optional<Deed>& deed() const { return deed_; }
  const absl::Status& status() const { return query_.status(); }
  void Advance() {
    deed_.reset();
    while (!deed_ && query_.Next()) deed_ = understand_(query_, bad_);
  }

 private:
  const Understand understand_;
  const Bad& bad_;
  Query query_;
  std::optional<Deed> deed_;
};

constexpr std::string_view kSent =
    "SELECT id, odoo_order_id, odoo_order_name, odoo_write_date, sent_at FROM sent_orders "
    "WHERE connection_id = ?1 ORDER BY odoo_order_id, id";
constexpr std::string_view kQueued =
    "SELECT id, odoo_order_id, odoo_order_name, payload, status, attempts, last_error, created_at "
    "FROM retry_queue WHERE connection_id = ?1 ORDER BY odoo_order_id, id";

// All that was done with one order.
class History {
 public:
  void Add(Deed deed) {
    // Of one that its ledger has too this tells when it was read, which was before it was sent.
    if (deed.retried) retried_ = deed;
    if (!newest_ || IsLater(deed, *newest_)) newest_ = std::move(deed);
  }
  absl::Status Give(const ImportedConnection::Take& take) {
    if (!newest_) return absl::OkStatus();
    ImportedOrder& order = newest_->order;
    order.fate = newest_->fate;
    order.known_at = newest_->at;
    if (order.fate == Fate::kSent && retried_ && IsOf(*retried_, order.write_date))
      order.known_at = std::min(order.known_at, retried_->at);
    // Queued at once when it was read.
    if (order.write_date.empty()) order.write_date = FormatOdooTime(newest_->at);
    return take(order);
  }

 private:
  static bool IsOf(const Deed& deed, const std::string& write_date) {
    return deed.order.write_date.empty() || deed.order.write_date == write_date;
  }
  std::optional<Deed> newest_;
  std::optional<Deed> retried_;
};

}  // namespace

absl::Status EachPythonOrder(Database& db, std::int64_t connection,
                             const ImportedConnection::Take& take,
                             const std::function<void(const std::string&)>& bad) {
  Deeds sent(db, kSent, connection, &SentDeed, bad);
  Deeds queued(db, kQueued, connection, &QueuedDeed, bad);
  while (sent.deed() || queued.deed()) {
    OrderId order = sent.deed() ? sent.deed()->order.order : queued.deed()->order.order;
    if (queued.deed()) order = std::min(order, queued.deed()->order.order);
    History history;
    for (; sent.deed() && sent.deed()->order.order == order; sent.Advance())
      history.Add(*sent.deed());
    for (; queued.deed() && queued.deed()->order.order == order; queued.Advance())
      history.Add(*queued.deed());
    RETURN_IF_ERROR(history.Give(take));
  }
  RETURN_IF_ERROR(sent.status());
  return queued.status();
}

}  // namespace poller
