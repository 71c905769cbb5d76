// One exchange as libcurl sees it. Included by this folder's .cc files alone.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "core/async/one_shot.h"
#include "core/http/curl/answer_budget.h"
#include "core/http/curl/curl_http_client.h"

namespace poller {

// What the one who sent a request gets. The lease is held until then: an answer that nobody has
// taken yet fills memory too.
struct Outcome {
  Outcome(absl::StatusOr<HttpResponse> r, BudgetLease l)
      : response(std::move(r)), lease(std::move(l)) {}
  absl::StatusOr<HttpResponse> response;
  BudgetLease lease;
};

// Lives on the engine's thread from Prepare on. The easy handle belongs to the engine's pool.
class Transfer {
 public:
  // `options` and `metrics` outlive the transfer.
  Transfer(HttpRequest request, OneShot<Outcome> result, const CurlOptions& options,
           std::shared_ptr<AnswerBudget> budget, Metrics& metrics);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // First. An error is the result: do not go on.
  absl::Status Parse();
  // The name to look up; empty where the URL has an address.
  const std::string& name() const { return name_; }
  // By when its address must be known, from the start.
  absl::Duration ConnectTime() const;
  // Sets the handle up. `addresses` of its name, as NameLookup gives them, were found after
  // `waited`. An error is the result: do not start it.
  absl::Status Prepare(CURL* easy, const std::string& addresses, absl::Duration waited);

  // Ends the exchange; each at most once.
  void Complete(CURLcode code);
  void Fail(const absl::Status& status);
  // There is no address for its name.
  void FailName(const std::string& why, bool exhausted);

 private:
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose,
                                    curl_sockaddr* address) noexcept;
  static int OnBeforeRequest(void* self, char* peer, char* local, int peer_port,
                             int local_port) noexcept;

  absl::Status MakeHeaders();
  void SetTarget(CURL* easy, const std::string& addresses);
  void SetLimits(CURL* easy);
  void SetTrust(CURL* easy);
  void SetBody(CURL* easy);
  void SetCallbacks(CURL* easy);

  bool TakeBody(const char* data, std::size_t size);
  bool Reserve(std::size_t bytes);
  bool Cut();
  bool TakeHeader(std::string_view line);
  bool CheckEncoding(std::string_view value);
  bool Refuse(TransportFailure failure, std::string why);

  TransportFailure Classify(CURLcode code) const;
  TransportFailure ClassifyBeforeRequest(CURLcode code) const;
  absl::Status Error(TransportFailure failure, CURLcode code) const;
  void Resolve(absl::StatusOr<HttpResponse> response);
  void FillPeer();
  void FillTimes();

  HttpRequest request_;
  OneShot<Outcome> result_;
  const CurlOptions& options_;
  const std::shared_ptr<AnswerBudget> budget_;
  BudgetLease lease_;
  std::int64_t most_ = 0;  // bytes of the answer, decompressed
  Metrics& metrics_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  curl_slist* resolved_ = nullptr;
  absl::Duration waited_;  // for the name
  HttpResponse response_;
  std::size_t body_capacity_ = 0;  // bytes of it that the budget counts
  std::size_t header_bytes_ = 0;
  bool body_began_ = false;
  // Why we ended it ourselves, if we did.
  std::optional<TransportFailure> refused_;
  std::string why_;
  absl::Status egress_denied_;  // of the last address that was refused
  bool dialled_ = false;
  bool exhausted_ = false;  // there was no socket for the last address
  // Set when a connection was ready and the request about to be written: from here on the server
  // may have acted on it. Stays set when libcurl tries again on another connection.
  bool request_began_ = false;
  std::string url_, name_;
  std::string server_;  // host and port, for messages
  bool https_ = false;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace poller
