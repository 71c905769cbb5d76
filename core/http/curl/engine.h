// The thread that owns libcurl. Included by this folder's .cc files alone.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "core/http/curl/name_lookup.h"
#include "core/http/curl/transfer.h"

namespace poller {

// One loop over epoll: sockets of libcurl, and an eventfd that says that the mailbox has something.
// A wake-up costs what changed, not what waits.
class CurlHttpClient::Engine {
 public:
  Engine(CurlOptions options, Metrics& metrics);
  ~Engine();

  absl::Status Start();
  // Any thread. The result is set on the engine's thread, or here when the engine is shut down.
  void Submit(HttpRequest request, OneShot<Outcome> result);
  // Any thread.
  void Shutdown();

 private:
  static int OnSocket(CURL* easy, curl_socket_t socket, int what, void* self, void* known);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);
  void Run();
  void Wake();
  int WaitMilliseconds() const;
  void TakeMail();
  void StartWaiting();
  void StartTransfer(std::unique_ptr<Transfer> transfer);
  void Launch(std::unique_ptr<Transfer> transfer, const std::string& addresses,
              absl::Duration waited);
  void TakeNames();
  void CollectDone();
  void FailAll();
  void Report();
  CURL* TakeHandle();
  void GiveHandle(CURL* easy);

  const CurlOptions options_;
  Metrics& metrics_;
  Gauge& in_flight_;
  Gauge& waiting_requests_;
  Gauge& answer_bytes_;
  // What this engine has added to the gauges, which all clients of a process share.
  double shown_in_flight_ = 0;
  double shown_waiting_ = 0;
  double shown_bytes_ = 0;
  CURLM* multi_ = nullptr;
  int epoll_ = -1;
  int wake_ = -1;
  const std::shared_ptr<AnswerBudget> budget_;
  std::thread thread_;

  absl::Mutex mu_;
  std::vector<std::unique_ptr<Transfer>> mail_ ABSL_GUARDED_BY(mu_);
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;

  // Of the engine's thread.
  std::deque<std::unique_ptr<Transfer>> waiting_;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> active_;
  std::vector<CURL*> idle_handles_;
  std::unique_ptr<NameLookup> names_;
  // Transfers whose name is being looked up, by deadline and a number, and by name. Those whose
  // deadline has passed stay in `by_name_` until the answer comes.
  using NameKey = std::pair<absl::Duration, std::uint64_t>;
  std::map<NameKey, std::unique_ptr<Transfer>> unnamed_;
  std::unordered_map<std::string, std::vector<NameKey>> by_name_;
  std::uint64_t next_unnamed_ = 0;
  absl::Duration timer_due_ = absl::InfiniteDuration();  // monotonic
};

}  // namespace poller
