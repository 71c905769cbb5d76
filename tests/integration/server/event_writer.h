// Makes events happen while a test looks at something else.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "odoopoller/v1/connection.pb.h"

namespace poller::test {

// Makes `connection`, which neither polls nor delivers. Aborts if the server does not.
odoopoller::v1::Connection AddPaused(const std::shared_ptr<grpc::Channel>& channel,
                                     const std::string& token,
                                     odoopoller::v1::Connection connection);
// The same of an Odoo that there is not.
std::int64_t AddQuietConnection(const std::shared_ptr<grpc::Channel>& channel,
                                const std::string& token, const std::string& name);

// Resumes and pauses the delivery of one connection that is paused, again and again, on a thread of
// its own: an event each. Thread-safe.
class EventWriter {
 public:
  EventWriter(std::string token, std::int64_t connection);
  ~EventWriter();

  // Through this channel from now on: after a restart of the server the old one leads nowhere.
  void Use(std::shared_ptr<grpc::Channel> channel);
  // Writes until there were so many in all. It begins with none.
  void WriteUpTo(std::int64_t events);
  std::int64_t written();
  // Waits until all that was asked for is written. Only while the server runs.
  void Wait();

 private:
  void Run();
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return stopped_ || (channel_ != nullptr && written_ < wanted_);
  }
  bool IsDone() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return written_ >= wanted_; }

  const std::string token_;
  const std::int64_t connection_;
  absl::Mutex mu_;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mu_);  // null: the last one failed
  std::int64_t written_ ABSL_GUARDED_BY(mu_) = 0;
  std::int64_t wanted_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace poller::test
