// The real Odoo client and the mapper behind it, in a conversation with recorded answers of which one is
// odd.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/http_client.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/odoo_client.h"
#include "tests/unit/odoo/recorded_odoo.h"

namespace poller::fuzz {

// The version and protocol that are spoken, and whether there is a nested read.
struct Way {
  const char* version;
  OdooProtocol protocol;
  bool nested;
  bool knows_session;  // protocol, version and user are known from an earlier run
};
inline constexpr std::array kWays = {
    Way{"17", OdooProtocol::kJsonRpc, true, true},  Way{"17", OdooProtocol::kJsonRpc, false, true},
    Way{"18", OdooProtocol::kJsonRpc, true, true},  Way{"18", OdooProtocol::kAuto, false, false},
    Way{"19", OdooProtocol::kJsonRpc, true, false}, Way{"19", OdooProtocol::kAuto, true, false},
    Way{"19", OdooProtocol::kJson2, true, true},    Way{"19", OdooProtocol::kJson2, false, true},
};

// What is asked of the client.
enum class Operation {
  kVersion,
  kLogin,
  kListOrders,
  kNewestOrders,
  kListDated,
  kCountDated,
  kNthNewestDated,
  kLookUp,
  kFindByName,
  kListChangedLines,
  kReadOrders,
  kCheckReadable,
  kKeyExpiry,
};
inline constexpr std::size_t kOperations = 13;

// One conversation. Numbers beyond their tables wrap around, so that any bytes are an input.
struct Input {
  std::uint8_t way = 0;
  std::uint8_t operation = 0;
  std::uint8_t at = 0;            // which answer is the odd one, from 0
  std::uint8_t status = 0;        // of that answer; the last ones are no answer at all
  std::uint8_t content_type = 0;  // of that answer
  std::uint8_t headers = 0;       // its Date and Retry-After
  std::string body;               // kIdMark in it becomes the id of the question
};
inline constexpr std::string_view kIdMark = "4242424242";
inline constexpr std::size_t kHeaderBytes = 6;
// Six bytes and the body; fewer bytes are filled up with zeros.
std::string ToBytes(const Input& input);
Input FromBytes(std::string_view bytes);
// The index of an HTTP status; aborts if the table does not have it.
std::uint8_t StatusIndex(int status);
std::uint8_t ContentTypeIndex(std::string_view type);

class Conversation {
 public:
  Conversation();

  // What must not be, in words: an error without a kind, a secret in a message, a value that was
  // taken and is none, a body of a webhook that no receiver can read, calls without end. Empty: all
  // is well.
  std::string Run(const Input& input);

  // How the last run ended; nothing: with a value.
  std::optional<odoo::ErrorKind> outcome() const { return outcome_; }
  // Orders of the last run that became a webhook's body, and those that the mapper refused.
  int mapped() const { return mapped_; }
  int refused() const { return refused_; }

  // Each answer of each operation in each way as it is, and each recording where it may stand.
  std::vector<Input> Seeds();

 private:
  odoo::RecordedOdoo& Odoo(const Way& way);
  absl::StatusOr<HttpResponse> Answer(const HttpRequest& request);
  HttpResponse Odd(const HttpRequest& request) const;
  std::string Ask(odoo::Client& client, Operation operation);
  template <class Result, class Check>
  std::string CheckResult(const Result& result, Check check);
  std::string CheckError(const absl::Status& status);
  std::string CheckOrders(const odoo::FetchedOrders& fetched);

  std::map<std::string, odoo::RecordedOdoo> odoos_;
  Input input_;
  int answers_ = 0;
  std::vector<HttpResponse>* listener_ = nullptr;  // sees every true answer
  std::optional<odoo::ErrorKind> outcome_;
  int mapped_ = 0, refused_ = 0;
};

}  // namespace poller::fuzz
