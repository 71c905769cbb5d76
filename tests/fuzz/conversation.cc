#include "tests/fuzz/conversation.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/crypto/hash.h"
#include "core/orders/order_mapper.h"
#include "core/orders/payload.h"
#include "fmt/format.h"
#include "tests/fuzz/mutation.h"
#include "tests/unit/odoo/scripted_http.h"

namespace poller::fuzz {
namespace {

namespace json = boost::json;

constexpr int kStatuses[] = {200, 201, 204, 301, 307, 308, 400, 401, 403, 404, 405, 406, 408,
                             410, 413, 415, 422, 429, 500, 501, 502, 503, 504, 0,   600, 999};
constexpr TransportFailure kFailures[] = {
    TransportFailure::kDns,       TransportFailure::kConnect,    TransportFailure::kTls,
    TransportFailure::kTimeout,   TransportFailure::kReset,      TransportFailure::kTooLarge,
    TransportFailure::kExhausted, TransportFailure::kOverloaded, TransportFailure::kProtocol};
constexpr std::string_view kTypes[] = {"application/json; charset=utf-8",
                                       "application/json",
                                       "text/html; charset=utf-8",
                                       "text/html;charset=utf-8",
                                       "text/html",
                                       "text/plain",
                                       ""};
constexpr std::string_view kDates[] = {"Tue, 24 Nov 2026 14:30:00 GMT", "",
                                       "Tue, 24 Nov 9999 14:30:00 GMT", "yesterday"};
constexpr std::string_view kWaits[] = {"",
                                       "5",
                                       "0",
                                       "-7",
                                       "99999999999999999999",
                                       "Tue, 24 Nov 2026 14:31:00 GMT",
                                       "Tue, 24 Nov 2026 14:29:00 GMT",
                                       "soon"};

// More than any operation needs, looking for another protocol and logging in again included.
constexpr int kMaxAnswers = 60;
// What a call's name and the context before it may add to a foreign text.
constexpr std::size_t kMaxMessage = kMaxForeignText + 200;

// Orders of the recordings.
const std::vector<OrderId> kAsked = {OrderId(21), OrderId(22), OrderId(24), OrderId(30)};

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

template <class List>
std::uint8_t IndexOf(const List& list, const auto& value, std::string_view what) {
  const auto found = std::find(std::begin(list), std::end(list), value);
  if (found == std::end(list)) Die(fmt::format("not in the table: {} {}", what, value));
  return static_cast<std::uint8_t>(found - std::begin(list));
}

template <class List>
const auto& Pick(const List& list, std::size_t index) {
  return list[index % std::size(list)];
}

Operation OperationOf(const Input& input) {
  return static_cast<Operation>(input.operation % kOperations);
}

// Calls that the recordings answer: what comes before a question, and the full read.
bool IsRecorded(const HttpRequest& request, Operation operation) {
  if (operation == Operation::kReadOrders || operation == Operation::kListOrders) return true;
  constexpr std::string_view kBefore[] = {"/web/version", "context_get", "\"common\"",
                                          "fields_get"};
  return std::any_of(std::begin(kBefore), std::end(kBefore), [&](std::string_view part) {
    return request.url.find(part) != std::string::npos ||
           request.body.find(part) != std::string::npos;
  });
}

std::string WithId(std::string body, const HttpRequest& request) {
  const std::size_t at = body.find(kIdMark);
  if (at == std::string::npos || !request.url.ends_with("/jsonrpc")) return body;
  const std::int64_t id = json::parse(request.body).at("id").as_int64();
  return body.replace(at, kIdMark.size(), std::to_string(id));
}

std::string WithMark(const std::string& body) {
  json::error_code error;
  json::value value = json::parse(body, error);
  json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr || !object->contains("jsonrpc")) return body;
  json::value& id = (*object)["id"];
  if (!id.is_number()) return body;
  id = std::int64_t{4242424242};
  return json::serialize(value);
}

std::string CheckPage(const absl::StatusOr<odoo::OrderPage>& page) {
  for (const odoo::ListedOrder& order : page->orders) {
    if (order.id.value() <= 0 || order.id.value() > (std::int64_t{1} << 53)) return "an odd id";
    if (!order.write_date.empty() && !ParseOdooTime(order.write_date).ok()) {
      return "an odd write_date: " + order.write_date;
    }
  }
  return "";
}

std::string CheckRising(const absl::StatusOr<odoo::OrderPage>& page) {
  const auto falls = [](const odoo::ListedOrder& a, const odoo::ListedOrder& b) {
    return a.id >= b.id;
  };
  const auto& orders = page->orders;
  if (std::adjacent_find(orders.begin(), orders.end(), falls) != orders.end()) {
    return "a page does not rise";
  }
  return CheckPage(page);
}

std::string CheckLines(const odoo::LinePage& page) {
  std::int64_t last = 0;
  for (const odoo::ListedLine& line : page.lines) {
    if (line.id <= last) return "a page of lines does not rise";
    if (!line.order) return "a line without order";
    if (!line.write_date.empty() && !ParseOdooTime(line.write_date).ok()) return "an odd time";
    last = line.id;
  }
  return "";
}

}  // namespace

std::string ToBytes(const Input& input) {
  std::string bytes;
  for (const std::uint8_t byte :
       {input.way, input.operation, input.at, input.status, input.content_type, input.headers}) {
    bytes += static_cast<char>(byte);
  }
  return bytes + input.body;
}

Input FromBytes(std::string_view bytes) {
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : std::uint8_t{0};
  };
  Input input{byte(0), byte(1), byte(2), byte(3), byte(4), byte(5), ""};
  if (bytes.size() > kHeaderBytes) input.body = bytes.substr(kHeaderBytes);
  return input;
}

std::uint8_t StatusIndex(int status) { return IndexOf(kStatuses, status, "status"); }
std::uint8_t ContentTypeIndex(std::string_view type) { return IndexOf(kTypes, type, "type"); }

Conversation::Conversation() { CryptoInit(); }

odoo::RecordedOdoo& Conversation::Odoo(const Way& way) {
  odoo::RecordedOdoo& odoo = odoos_.try_emplace(way.version, way.version).first->second;
  odoo.nested = way.nested;
  odoo.calls.clear();
  return odoo;
}

HttpResponse Conversation::Odd(const HttpRequest& request) const {
  HttpResponse response = odoo::MakeResponse(Pick(kStatuses, input_.status),
                                             std::string(Pick(kTypes, input_.content_type)),
                                             WithId(input_.body, request));
  const std::string_view date = Pick(kDates, input_.headers);
  const std::string_view wait = Pick(kWaits, input_.headers / std::size(kDates));
  if (!date.empty()) response.headers.push_back({"Date", std::string(date)});
  if (!wait.empty()) response.headers.push_back({"Retry-After", std::string(wait)});
  return response;
}

absl::StatusOr<HttpResponse> Conversation::Answer(const HttpRequest& request) {
  const int answer = answers_++;
  if (answer >= kMaxAnswers) return TransportError(TransportFailure::kConnect, "enough");
  if (answer == input_.at || !IsRecorded(request, OperationOf(input_))) {
    const std::size_t beyond = input_.status % (std::size(kStatuses) + std::size(kFailures));
    if (beyond >= std::size(kStatuses)) {
      return TransportError(kFailures[beyond - std::size(kStatuses)], "no answer");
    }
    return Odd(request);
  }
  HttpResponse response = Odoo(Pick(kWays, input_.way)).Answer(request);
  if (listener_ != nullptr) listener_->push_back(response);
  return response;
}

std::string Conversation::CheckError(const absl::Status& status) {
  const std::string_view message = Message(status);
  outcome_ = odoo::ErrorKindOf(status);
  if (!outcome_.has_value()) return "an error without a kind: " + Describe(status);
  if (message.empty()) return "an error that says nothing";
  if (message.size() > kMaxMessage) return fmt::format("a message of {} bytes", message.size());
  if (!IsValidUtf8(message)) return "a message that is not UTF-8";
  if (SafeText(message, kMaxMessage) != message) return "a message that is not safe to show";
  if (message.find(kKey) != message.npos) return "a secret in a message: " + Describe(status);
  const auto wait = odoo::RetryAfterOf(status);
  if (wait.has_value() && (*wait < absl::ZeroDuration() || *wait > absl::Hours(1))) {
    return "an odd wait: " + absl::FormatDuration(*wait);
  }
  return "";
}

std::string Conversation::CheckOrders(const odoo::FetchedOrders& fetched) {
  const auto asked = [](OrderId id) {
    return std::find(kAsked.begin(), kAsked.end(), id) != kAsked.end();
  };
  if (!std::all_of(fetched.torn.begin(), fetched.torn.end(), asked)) return "an odd order is torn";
  const RelatedRecords related{fetched.lines, fetched.partners, fetched.products, fetched.templates,
                               fetched.attribute_values};
  for (const json::object& record : fetched.orders) {
    const absl::StatusOr<Order> order = MapOrder(record, related, "shop1");
    if (!order.ok()) {
      ++refused_;
      const std::string_view why = Message(order.status());
      if (why.empty() || !IsValidUtf8(why) || why.find(kKey) != why.npos) return "an odd reason";
      if (order.status().code() != absl::StatusCode::kInvalidArgument) return "an odd code";
      continue;
    }
    if (!asked(order->id)) return "an order that nobody asked for";
    const absl::StatusOr<std::string> body =
        RenderBody(EncodeContent(*order, "shop1"), "order.confirmed", "7", 1);
    if (!body.ok()) return "a content that cannot be rendered: " + Describe(body.status());
    json::error_code error;
    const json::value read = json::parse(*body, error);
    if (error || !IsValidUtf8(*body)) return "a body that is not JSON: " + *body;
    ++mapped_;
  }
  return "";
}

// Checks the value by `check`, if there is one.
template <class Result, class Check>
std::string Conversation::CheckResult(const Result& result, Check check) {
  if (!result.ok()) return CheckError(internal::ToStatus(result));
  return check(result);
}

std::string Conversation::Ask(odoo::Client& client, Operation operation) {
  using odoo::Await;
  const absl::Time from = absl::FromUnixSeconds(1577836800);
  const odoo::DateRange range{from, from + absl::Hours(24 * 3650)};
  const auto anything = [](const auto&) { return std::string(); };
  switch (operation) {
    case Operation::kVersion:
      return CheckResult(Await(client.Version()), [](const auto& version) {
        const bool fits = !version->empty() && version->size() <= 200 && IsValidUtf8(*version);
        return std::string(fits ? "" : "an odd version");
      });
    case Operation::kLogin:
      return CheckResult(Await(client.Login()), [&](const auto&) {
        return std::string(client.session().uid > 0 ? "" : "a login without a user");
      });
    case Operation::kListOrders:
      return CheckResult(Await(client.ListOrders(from, OrderId(20), 1000)), CheckRising);
    case Operation::kNewestOrders:
      return CheckResult(Await(client.NewestOrders(30)), CheckPage);
    case Operation::kListDated:
      return CheckResult(Await(client.ListDated(range, OrderId(0), 100)), CheckRising);
    case Operation::kCountDated:
      return CheckResult(Await(client.CountDated(range)), [](const auto& count) {
        return std::string(*count >= 0 ? "" : "a count below zero");
      });
    case Operation::kNthNewestDated:
      return CheckResult(Await(client.NthNewestDated(range, 5)), CheckPage);
    case Operation::kLookUp:
      return CheckResult(Await(client.LookUp(kAsked)), CheckPage);
    case Operation::kFindByName:
      return CheckResult(Await(client.FindByName({"S00021"})), CheckPage);
    case Operation::kListChangedLines:
      return CheckResult(Await(client.ListChangedLines(from, from, 0, 1000)),
                         [](const auto& page) { return CheckLines(*page); });
    case Operation::kReadOrders:
      return CheckResult(Await(client.ReadOrders(kAsked)),
                         [&](const auto& fetched) { return CheckOrders(*fetched); });
    case Operation::kCheckReadable:
      return CheckResult(Await(client.CheckReadable("product.product")), anything);
    case Operation::kKeyExpiry:
      return CheckResult(Await(client.KeyExpiry()), anything);
  }
  return "no such operation";
}

std::string Conversation::Run(const Input& input) {
  input_ = input;
  answers_ = mapped_ = refused_ = 0;
  outcome_.reset();
  const Way& way = Pick(kWays, input.way);
  odoo::Target target;
  target.url = "https://shop.example";
  target.database = "shop1";
  target.username = "poller";
  target.api_key = Secret(std::string(kKey));
  target.protocol = way.protocol;
  odoo::Session session;
  if (way.knows_session) session = {2, std::string(way.version) + ".0", way.protocol};
  odoo::ScriptedHttp http([this](const HttpRequest& request) { return Answer(request); });
  odoo::Client client(http, std::move(target), std::move(session));
  std::string complaint = Ask(client, OperationOf(input));
  if (complaint.empty() && answers_ >= kMaxAnswers) complaint = "calls without end";
  return complaint;
}

std::vector<Input> Conversation::Seeds() {
  std::vector<Input> seeds;
  Input seed;
  // The true answers: the odd one is beyond the last.
  for (std::size_t way = 0; way < kWays.size(); ++way) {
    for (const Operation operation :
         {Operation::kVersion, Operation::kLogin, Operation::kListOrders, Operation::kReadOrders}) {
      std::vector<HttpResponse> answers;
      listener_ = &answers;
      seed = Input();
      seed.way = static_cast<std::uint8_t>(way);
      seed.operation = static_cast<std::uint8_t>(operation);
      seed.at = 255;
      if (const std::string complaint = Run(seed); !complaint.empty()) Die(complaint);
      listener_ = nullptr;
      for (std::size_t at = 0; at < answers.size(); ++at) {
        seed.at = static_cast<std::uint8_t>(at);
        seed.status = StatusIndex(answers[at].status);
        seed.content_type = ContentTypeIndex(*answers[at].Header("Content-Type"));
        seed.body = WithMark(answers[at].body);
        seeds.push_back(seed);
      }
    }
  }
  // Every recording, in the place of the first answer of its protocol, as an answer to each question
  // in turns.
  std::uint8_t operation = 0;
  for (const char* folder : {"17", "18", "19", "19-json2"}) {
    const bool is_json2 = std::string_view(folder) == "19-json2";
    const auto protocol = is_json2 ? OdooProtocol::kJson2 : OdooProtocol::kJsonRpc;
    const auto way = std::find_if(kWays.begin(), kWays.end(), [&](const Way& w) {
      return w.protocol == protocol && std::string_view(folder).starts_with(w.version);
    });
    for (const odoo::Recording& recording : odoo::LoadRecordings(folder)) {
      const HttpResponse answer = odoo::AnswerTo(recording, 0);
      seed = Input();
      seed.way = static_cast<std::uint8_t>(way - kWays.begin());
      seed.operation = operation++ % kOperations;
      seed.status = StatusIndex(answer.status);
      seed.content_type = ContentTypeIndex(*answer.Header("Content-Type"));
      seed.body = WithMark(answer.body);
      seeds.push_back(seed);
    }
  }
  return seeds;
}

}  // namespace poller::fuzz
