// What can be wrong with a simulated Odoo as a whole, set and cleared while it runs.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "tests/support/http_types.h"

namespace poller::test {

struct OdooFault {
  enum class Kind {
    // Instead of the answer:
    kStatus,        // an HTML page with `status`, and Retry-After where set
    kHang,          // no byte, ever
    kReset,         // the connection is reset
    kAccessDenied,  // the key is not accepted; authenticate answers false
    kPostgresDown,  // OperationalError, connection refused
    kError,         // a JSON-RPC error with `name` and `message`
    // With the answer (several of these can hold at once):
    kSlow,              // `delay` before the first byte
    kDrip,              // `bytes` every `delay`
    kHuge,              // `bytes` of white space follow the JSON
    kTruncated,         // half of the JSON, with a Content-Length that fits
    kCut,               // the connection is closed in the middle of the body
    kInvalidUtf8,       // a byte 0xFF inside the last text
    kWrongContentType,  // text/html
    kNoDate,            // no Date header
    kGzip,
    kChunked,
  };
  Kind kind = Kind::kStatus;
  // Whom it hits: "" is everybody.
  std::string db = {};
  std::string model = {};   // "sale.order"
  std::string method = {};  // "search_read"; "authenticate", "version"
  int times = -1;           // calls it hits, then it is gone; -1: until cleared

  int status = 503;
  std::optional<absl::Duration> retry_after = std::nullopt;
  absl::Duration delay = absl::ZeroDuration();
  std::uint64_t bytes = 1;
  std::string name = "odoo.exceptions.UserError";
  std::string message = "simulated";
};

// "status", "hang", …, "wrong-content-type": for control APIs. Empty for an unknown word.
std::optional<OdooFault::Kind> FaultKindByName(std::string_view name);

// Thread-safe.
class FaultBoard {
 public:
  int Add(OdooFault fault);
  void Remove(int id);
  // All of one database; "" all there are.
  void Clear(std::string_view db = "");
  // Those that hold for a call, in the order they were added, each spent once.
  std::vector<OdooFault> Take(std::string_view db, std::string_view model, std::string_view method);

 private:
  std::mutex mu_;
  int next_ ABSL_GUARDED_BY(mu_) = 1;
  std::map<int, OdooFault> faults_ ABSL_GUARDED_BY(mu_);
};

// The answer that a fault gives in place of Odoo's, if one does.
std::optional<TestReply> ReplyInstead(const std::vector<OdooFault>& faults);
// Throws the OdooError that a fault demands, if one does.
void RaiseFaults(const std::vector<OdooFault>& faults);
// Changes how the answer travels.
void BendReply(const std::vector<OdooFault>& faults, TestReply& reply);

TestReply HtmlReply(int status, std::string title);

}  // namespace poller::test
