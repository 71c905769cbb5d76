// One exchange as libcurl sees it. Included by this folder's .cc files alone.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "core/async/one_shot.h"
#include "core/http/curl/curl_http_client.h"

namespace poller {

// Lives on the engine's thread from Prepare on. The easy handle belongs to the engine's pool.
class Transfer {
 public:
  // `budget_used` counts the bytes of all answers in memory and outlives the transfer.
  Transfer(HttpRequest request, OneShot<absl::StatusOr<HttpResponse>> result,
           const CurlOptions& options, std::atomic<std::int64_t>& budget_used);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Sets the handle up. An error is the result: do not start it.
  absl::Status Prepare(CURL* easy);
  CURL* easy() const { return easy_; }

  // Ends the exchange; each at most once.
  void Complete(CURLcode code);
  void Fail(const absl::Status& status);

 private:
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  bool TakeBody(const char* data, std::size_t size);
  bool TakeHeader(std::string_view line);
  absl::Status Error(CURLcode code) const;
  TransportFailure Classify(CURLcode code) const;
  bool RequestStarted() const;
  void FillTimes();

  HttpRequest request_;
  OneShot<absl::StatusOr<HttpResponse>> result_;
  const CurlOptions& options_;
  std::atomic<std::int64_t>& budget_used_;
  std::int64_t held_ = 0;  // bytes counted in the budget
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  std::string too_large_;       // why, if it is
  absl::Status egress_denied_;  // of the last address that was refused
  bool dialled_ = false;
  std::string host_;  // for messages
  bool https_ = false;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace poller
