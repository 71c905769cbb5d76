// A receiver of our webhooks, as StockMaster is one: it checks the signature, remembers every
// attempt, and knows what a correct sender never does. It can be told to fail in many ways. A pure
// object; `Serve` puts it behind a socket.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/support/http_server.h"
#include "tests/support/http_types.h"
#include "tests/support/standard_webhooks.h"

namespace poller::test {

// How the receiver meets requests while this is set.
struct ReceiverBehaviour {
  enum class Kind {
    kAnswer,
    kHang,         // reads, keeps nothing, never answers
    kResetBefore,  // resets the connection with the body unread (behind a socket; otherwise keeps
                   // nothing)
    kResetAfter,   // handles the request fully, as accepted where `status` says so, and loses the
                   // answer
  };
  Kind kind = Kind::kAnswer;
  int status =
      200;  // for a request whose signature is good; a bad one gets 401 or 400 where this is 2xx
  std::optional<absl::Duration> retry_after = std::nullopt;  // whole seconds
  bool retry_after_as_date = false;             // as an HTTP date of the receiver's clock
  absl::Duration delay = absl::ZeroDuration();  // before the answer
  std::string body = "{\"ok\":true}";
  int times = -1;  // requests it applies to, then it is gone; -1: until replaced
  std::optional<absl::Time> until = std::nullopt;  // of the receiver's clock
};

struct ReceivedAttempt {
  std::uint64_t number = 0;  // from 1, in the order of arrival
  absl::Time at;
  TestRequest request;
  Verdict verdict = Verdict::kMissingHeader;
  int status = 0;         // answered; 0: none
  bool accepted = false;  // taken for good (a lost answer does not change that)
  // From the headers and, where the signature is good, the body; "" and 0 where absent.
  std::string webhook_id;
  std::string connection_id;
  std::string event;
  std::int64_t order_id = 0;
  std::int64_t revision = 0;
};

// What arrived about one order of one connection.
struct ReceivedOrder {
  std::string connection_id;
  std::int64_t order_id = 0;
  std::string name;
  std::int64_t newest_revision = 0;    // of any attempt with a good signature
  std::int64_t accepted_revision = 0;  // the newest accepted one, 0: none
  std::string accepted_body;           // the bytes of it
  std::string event;                   // of it, as are the next three
  std::string state;
  std::string write_date;
  double amount_total = 0;
  int attempts = 0;
  int accepted = 0;  // distinct webhook-ids accepted
  absl::Time first_at;
  absl::Time accepted_at =
      absl::InfiniteFuture();  // the first acceptance of the newest accepted revision
};

struct ReceiverViolation {
  std::string what;  // "same-id-different-bytes", "revision-went-back", "two-ids-for-one-revision",
                     // "two-in-flight", "connection-id-differs", "malformed-body"
  std::string connection_id;
  std::int64_t order_id = 0;
  std::string webhook_id;
  std::string detail;
};

struct ReceiverSummary {
  std::int64_t attempts = 0;
  std::int64_t tests = 0;            // accepted `connection.test` bodies
  std::int64_t accepted_ids = 0;     // distinct
  std::int64_t accepted_orders = 0;  // distinct
  std::int64_t bad_signatures = 0;   // attempts whose verdict is not kValid
  std::int64_t refused = 0;          // good signature, answered with something else than 2xx
  std::int64_t unanswered = 0;       // hung or reset
  std::int64_t duplicates =
      0;  // of an accepted id whose answer was sent: a resend, or an error of the sender
  std::int64_t repeats = 0;  // of an accepted id whose answer was lost: what at-least-once allows
  std::int64_t violations = 0;
};

// Thread-safe.
class WebhookReceiver {
 public:
  struct Options {
    std::function<absl::Time()> clock = nullptr;  // the machine's when empty
    absl::Duration tolerance = absl::Minutes(5);
    bool check_legacy_header = false;  // 401 unless X-Webhook-Secret is one of the secrets
  };
  WebhookReceiver() : WebhookReceiver(Options()) {}
  explicit WebhookReceiver(Options options);

  // Handles one webhook. `on_done` of the answer must be called for the receiver to know that its
  // answer was lost or that an attempt is over; HttpServer does so. Without a server use `Deliver`.
  TestReply Handle(const TestRequest& request);
  // The same without a socket: the answer counts as received, except where it hangs or is reset.
  TestReply Deliver(const TestRequest& request);
  // For HttpServer::Options::on_head.
  std::optional<TestReply> HandleHead(const TestRequest& head);
  // Behind a server of its own on a free port of 127.0.0.1. The receiver must outlive it.
  std::unique_ptr<HttpServer> Serve();

  // Adds a secret (`whsec_…` or raw). `sender` is an X-Odoo-Connection-Id or a path such as
  // "/hook/a"; "" is for all others.
  void AddSecret(const std::string& sender, const std::string& secret);
  void ClearSecrets(const std::string& sender);

  // Replaces what holds for `sender` (as above); "" for all that have none of their own.
  void SetBehaviour(ReceiverBehaviour behaviour, const std::string& sender = "");
  // Back to accepting everything, also per order.
  void ClearBehaviour();
  // This answer for one order (by id; `connection_id` "" is every connection). Status 0 removes it.
  void SetOrderStatus(std::int64_t order_id, int status, const std::string& connection_id = "");

  ReceiverSummary Summary() const;
  std::vector<ReceivedAttempt> Attempts() const;
  std::vector<ReceivedOrder> Orders() const;
  std::optional<ReceivedOrder> FindOrder(const std::string& connection_id,
                                         std::int64_t order_id) const;
  std::vector<ReceiverViolation> Violations() const;
  // Forgets what arrived; secrets and behaviours stay.
  void Clear();
  // Waits until `done` holds for the summary, checked at every arrival and answer; false after
  // `timeout` of real time.
  bool WaitFor(const std::function<bool(const ReceiverSummary&)>& done,
               absl::Duration timeout) const;

  absl::Time Now() const { return options_.clock(); }

 private:
  using OrderKey = std::pair<std::string, std::int64_t>;  // connection_id, order id
  struct Message {                                        // one webhook-id
    std::string body;
    bool accepted = false;
    bool answer_sent = false;
  };
  struct Parsed;

  const std::vector<std::string>& SecretsFor(const TestRequest& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The behaviour that holds, one use of it spent.
  ReceiverBehaviour TakeBehaviour(const TestRequest& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  ReceiverBehaviour* FindBehaviour(const TestRequest& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int StatusFor(const ReceivedAttempt& attempt, const ReceiverBehaviour& behaviour) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Inspect(const ReceivedAttempt& attempt, const Parsed& parsed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Accept(const ReceivedAttempt& attempt, const Parsed& parsed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Report(std::string what, const ReceivedAttempt& attempt, std::string detail)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Done(const OrderKey& order, const std::string& webhook_id, bool accepted, bool sent);

  Options options_;
  mutable std::mutex mu_;
  mutable std::condition_variable changed_;  // notified at each attempt
  std::map<std::string, std::vector<std::string>> secrets_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, ReceiverBehaviour> behaviours_ ABSL_GUARDED_BY(mu_);
  std::map<OrderKey, int> order_status_ ABSL_GUARDED_BY(mu_);
  std::vector<ReceivedAttempt> attempts_ ABSL_GUARDED_BY(mu_);
  std::map<OrderKey, ReceivedOrder> orders_ ABSL_GUARDED_BY(mu_);
  std::map<OrderKey, int> in_flight_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Message> messages_ ABSL_GUARDED_BY(mu_);
  std::map<std::pair<OrderKey, std::int64_t>, std::string> id_of_revision_ ABSL_GUARDED_BY(mu_);
  std::vector<ReceiverViolation> violations_ ABSL_GUARDED_BY(mu_);
  ReceiverSummary summary_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller::test
