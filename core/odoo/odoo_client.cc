#include "core/odoo/odoo_client.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/odoo/caller.h"
#include "core/odoo/calls.h"
#include "core/odoo/http_fault.h"
#include "core/odoo/order_reader.h"
#include "core/odoo/record_source.h"
#include "core/odoo/records.h"
#include "core/odoo/version.h"
#include "fmt/format.h"

namespace poller::odoo {
namespace {

namespace json = boost::json;

// Records a call may name when only two fields of each are read.
constexpr std::size_t kLookUpSize = 1000;

absl::StatusOr<OrderPage> ReadOrderPage(json::value answer) {
  ASSIGN_OR_RETURN(const std::vector<json::object> records, TakeRecords(std::move(answer)));
  OrderPage page;
  page.orders.reserve(records.size());
  for (const json::object& record : records) {
    ASSIGN_OR_RETURN(ListedOrder order, ReadListedOrder(record));
    page.orders.push_back(std::move(order));
  }
  page.complete = true;
  return page;
}

// A page that does not go on where the last one ended would let us page for ever, or leave rows
// out.
template <class Row, class IdOf>
absl::Status CheckPage(const std::vector<Row>& rows, std::int64_t after, int limit, IdOf id_of) {
  if (rows.size() > static_cast<std::size_t>(limit)) {
    return MakeError(ErrorKind::kGarbage, fmt::format("more than the {} rows asked for", limit));
  }
  for (const Row& row : rows) {
    if (id_of(row) <= after)
      return MakeError(ErrorKind::kGarbage, "rows not in the order asked for");
    after = id_of(row);
  }
  return absl::OkStatus();
}

// The answer to a question that is good to ask and on which nothing hangs.
bool IsNotTold(const absl::Status& status) {
  const auto kind = ErrorKindOf(status);
  return kind == ErrorKind::kQuery || kind == ErrorKind::kRights || kind == ErrorKind::kRecord;
}

}  // namespace

struct Client::Impl {
  Impl(HttpClient& http, Target target, Session session)
      : caller(http, std::move(target), std::move(session)) {}

  Task<absl::StatusOr<OrderPage>> List(Call call) {
    const std::string what = call.model + "." + call.method;
    CO_ASSIGN_OR_RETURN(json::value answer, co_await caller.Execute(std::move(call)));
    absl::StatusOr<OrderPage> page = ReadOrderPage(std::move(answer));
    if (!page.ok()) co_return AddContext(page.status(), what);
    page->date = caller.last_date();
    co_return page;
  }

  Caller caller;
  RecordSource source{caller};
  std::optional<OrderReader> reader;  // of the newest ReadOrders
};

Client::Client(HttpClient& http, Target target, Session session)
    : impl_(std::make_unique<Impl>(http, std::move(target), std::move(session))) {}
Client::~Client() = default;

Task<absl::StatusOr<std::string>> Client::Version() { return impl_->caller.Version(); }
Task<absl::Status> Client::Login() { return impl_->caller.Login(); }

Task<absl::StatusOr<OrderPage>> Client::ListOrders(absl::Time from, OrderId after, int limit) {
  Call call = ListOrdersCall(from, after, limit);
  absl::StatusOr<OrderPage> page = co_await impl_->List(std::move(call));
  if (!page.ok()) co_return page;
  CO_RETURN_IF_ERROR(CheckPage(page->orders, after.value(), limit,
                               [](const ListedOrder& order) { return order.id.value(); }));
  page->complete = page->orders.size() < static_cast<std::size_t>(limit);
  co_return page;
}

Task<absl::StatusOr<OrderPage>> Client::NewestOrders(int count) {
  return impl_->List(NewestOrdersCall(count));
}

Task<absl::StatusOr<OrderPage>> Client::ListDated(DateRange range, OrderId after, int limit) {
  Call call = ListDatedCall(range, after, limit);
  absl::StatusOr<OrderPage> page = co_await impl_->List(std::move(call));
  if (!page.ok()) co_return page;
  CO_RETURN_IF_ERROR(CheckPage(page->orders, after.value(), limit,
                               [](const ListedOrder& order) { return order.id.value(); }));
  page->complete = page->orders.size() < static_cast<std::size_t>(limit);
  co_return page;
}

Task<absl::StatusOr<std::int64_t>> Client::CountDated(DateRange range) {
  Call call = CountDatedCall(range);
  CO_ASSIGN_OR_RETURN(const json::value answer, co_await impl_->caller.Execute(std::move(call)));
  if (!answer.is_int64() || answer.get_int64() < 0) {
    co_return MakeError(ErrorKind::kGarbage, "a count of orders is not a number");
  }
  co_return answer.get_int64();
}

Task<absl::StatusOr<OrderPage>> Client::NthNewestDated(DateRange range, int n) {
  return impl_->List(NthNewestDatedCall(range, n));
}

Task<absl::StatusOr<OrderPage>> Client::LookUp(std::vector<OrderId> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  OrderPage all;
  all.complete = true;
  for (std::size_t begin = 0; begin < ids.size(); begin += kLookUpSize) {
    std::vector<std::int64_t> part;
    for (std::size_t i = begin; i < std::min(begin + kLookUpSize, ids.size()); ++i) {
      part.push_back(ids[i].value());
    }
    Call call = PlainRead("sale.order", part, {"write_date", "state"});
    CO_ASSIGN_OR_RETURN(OrderPage page, co_await impl_->List(std::move(call)));
    all.orders.insert(all.orders.end(), page.orders.begin(), page.orders.end());
    if (!all.date.has_value()) all.date = page.date;
  }
  std::sort(all.orders.begin(), all.orders.end(),
            [](const ListedOrder& a, const ListedOrder& b) { return a.id < b.id; });
  co_return all;
}

Task<absl::StatusOr<OrderPage>> Client::FindByName(std::vector<std::string> names) {
  if (names.empty()) {
    OrderPage none;
    none.complete = true;
    co_return none;
  }
  Call call = FindByNameCall(names);
  co_return co_await impl_->List(std::move(call));
}

Task<absl::StatusOr<LinePage>> Client::ListChangedLines(absl::Time from, absl::Time order_date_from,
                                                        std::int64_t after, int limit) {
  Call call = ListChangedLinesCall(from, order_date_from, after, limit);
  CO_ASSIGN_OR_RETURN(json::value answer, co_await impl_->caller.Execute(std::move(call)));
  CO_ASSIGN_OR_RETURN(const std::vector<json::object> records, TakeRecords(std::move(answer)));
  LinePage page;
  for (const json::object& record : records) {
    CO_ASSIGN_OR_RETURN(ListedLine line, ReadListedLine(record));
    page.lines.push_back(std::move(line));
  }
  CO_RETURN_IF_ERROR(
      CheckPage(page.lines, after, limit, [](const ListedLine& line) { return line.id; }));
  page.complete = page.lines.size() < static_cast<std::size_t>(limit);
  page.date = impl_->caller.last_date();
  co_return page;
}

Task<absl::StatusOr<FetchedOrders>> Client::ReadOrders(std::vector<OrderId> ids) {
  impl_->reader.emplace(impl_->caller, impl_->source);
  return impl_->reader->Read(std::move(ids));
}

Task<absl::Status> Client::CheckReadable(std::string model) {
  Call call = CheckReadableCall(model);
  absl::StatusOr<json::value> answer = co_await impl_->caller.Execute(std::move(call));
  if (!answer.ok()) co_return answer.status();
  absl::StatusOr<std::vector<json::object>> records = TakeRecords(*std::move(answer));
  co_return records.status();
}

Task<absl::StatusOr<std::optional<bool>>> Client::SeesAllDocuments() {
  std::optional<bool> sees;
  if (session().uid == 0) CO_RETURN_IF_ERROR(co_await Login());
  Call call = SeesAllDocumentsCall(session().uid, MajorVersion(session().server_version));
  const absl::StatusOr<json::value> answer = co_await impl_->caller.Execute(std::move(call));
  if (IsNotTold(answer.status())) co_return sees;
  CO_RETURN_IF_ERROR(answer);
  if (answer->is_bool()) sees = answer->get_bool();
  co_return sees;
}

Task<absl::StatusOr<std::optional<absl::Time>>> Client::KeyExpiry() {
  std::optional<absl::Time> first;
  const int major = MajorVersion(session().server_version);
  if (major != 0 && major < kFirstWithKeyExpiry) co_return first;
  if (session().uid == 0) CO_RETURN_IF_ERROR(co_await Login());
  Call call = ListKeysCall(session().uid);
  absl::StatusOr<json::value> answer = co_await impl_->caller.Execute(std::move(call));
  if (IsNotTold(answer.status())) co_return first;
  CO_RETURN_IF_ERROR(answer);
  absl::StatusOr<std::vector<json::object>> keys = TakeRecords(*std::move(answer));
  if (!keys.ok()) co_return first;
  const absl::Time now = last_date().value_or(absl::InfinitePast());
  for (const json::object& key : *keys) {
    const auto end = ParseOdooTime(TextMember(key, "expiration_date"));
    if (end.ok() && *end > now && (!first.has_value() || *end < *first)) first = *end;
  }
  co_return first;
}

std::optional<absl::Time> Client::last_date() const { return impl_->caller.last_date(); }
const Session& Client::session() const { return impl_->caller.session(); }

}  // namespace poller::odoo
