// What subscribers of the event stream cost: memory of the server for each, and how many events a
// second reach them in all. They live in a process and on a connection of their own each. Fails
// above kMostPerSubscriber.
//
//   subscribers_bench [SUBSCRIBERS [EVENTS]]     1,000 and 400 unless given
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/synchronization/notification.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "odoopoller/v1/sync_log_service.grpc.pb.h"
#include "server/app.h"
#include "tests/integration/server/event_writer.h"
#include "tests/support/resident.h"

namespace poller::test {
namespace {

namespace v1 = odoopoller::v1;

constexpr double kMostPerSubscriber = 256 << 10;  // bytes
constexpr int kSmallRun = 500;                    // below it, what is not per subscriber counts
constexpr int kWriters = 8;

void AllowManySockets() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// What all subscribers of the other process share.
struct Audience {
  Audience(int size, std::int64_t each) : subscribers(size), events(each) {}
  const int subscribers;
  const std::int64_t events;  // that each is to see
  std::atomic<int> ready = 0;
  std::atomic<int> done = 0;
  absl::Notification all_ready, all_done;
};

class Subscriber final : public grpc::ClientReadReactor<v1::StreamSyncEventsResponse> {
 public:
  Subscriber(Audience& audience, const std::string& address, const std::string& token)
      : audience_(audience) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = v1::SyncLogService::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    context_.AddMetadata("authorization", "Bearer " + token);
    stub_->async()->StreamSyncEvents(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (message_.has_heartbeat() && !ready_) {
      ready_ = true;
      if (++audience_.ready == audience_.subscribers) audience_.all_ready.Notify();
    }
    if (message_.has_event() && ++seen_ == audience_.events) {
      if (++audience_.done == audience_.subscribers) audience_.all_done.Notify();
    }
    StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    std::fprintf(stderr, "a stream ended: %s\n", status.error_message().c_str());
    std::_Exit(1);
  }

 private:
  Audience& audience_;
  std::unique_ptr<v1::SyncLogService::Stub> stub_;
  grpc::ClientContext context_;
  v1::StreamSyncEventsRequest request_;
  v1::StreamSyncEventsResponse message_;
  std::int64_t seen_ = 0;
  bool ready_ = false;
};

// The other process: says "ready" when all are subscribed, and "done" when all have seen all.
int Follow(const std::string& address, const std::string& token_file, int subscribers, int events) {
  Audience audience(subscribers, events);
  std::string token;
  std::ifstream(token_file) >> token;
  std::vector<std::unique_ptr<Subscriber>> all;
  for (int i = 0; i < subscribers; ++i)
    all.push_back(std::make_unique<Subscriber>(audience, address, token));
  audience.all_ready.WaitForNotification();
  std::puts("ready");
  std::fflush(stdout);
  audience.all_done.WaitForNotification();
  std::puts("done");
  std::fflush(stdout);
  std::_Exit(0);  // the streams have no end of their own
}

bool Says(FILE* child, std::string_view word) {
  char line[64] = "";
  return std::fgets(line, sizeof line, child) != nullptr &&
         std::string_view(line).substr(0, word.size()) == word;
}

int Measure(const Options& options, const std::string& self, int subscribers, int events) {
  auto app = App::Start(options, NullLogger());
  if (!app.ok()) {
    std::fprintf(stderr, "%s\n", app.status().ToString().c_str());
    return 1;
  }
  const std::string address = (*app)->addresses().front();
  std::string token;
  std::ifstream(options.AdminTokenFile()) >> token;
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  std::vector<std::unique_ptr<EventWriter>> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.push_back(std::make_unique<EventWriter>(
        token, AddQuietConnection(channel, token, "shop" + std::to_string(i))));
    writers.back()->Use(channel);
  }
  const int each = (events + kWriters - 1) / kWriters;
  events = each * kWriters;

  const double before = Resident();
  const std::string command = self + " --follow " + address + " " +
                              options.AdminTokenFile().string() + " " +
                              std::to_string(subscribers) + " " + std::to_string(events);
  FILE* const child = popen(command.c_str(), "r");
  if (child == nullptr || !Says(child, "ready")) return 1;
  const double per_subscriber = (Resident() - before) / subscribers;
  const absl::Duration begin = SystemClock().Monotonic();
  for (const auto& writer : writers) writer->WriteUpTo(each);
  for (const auto& writer : writers) writer->Wait();
  const double writing = absl::ToDoubleSeconds(SystemClock().Monotonic() - begin);
  if (!Says(child, "done")) return 1;
  const double all = absl::ToDoubleSeconds(SystemClock().Monotonic() - begin);
  const double busy = (Resident() - before) / subscribers;
  pclose(child);
  std::printf(
      "%d subscribers, a connection each: %.1f KiB each when idle, %.1f KiB after %d events\n"
      "written at %.0f events/s, fanned out at %.0f events/s in all; the last was %.1f times as "
      "long under way as the writing took\n",
      subscribers, per_subscriber / 1024, busy / 1024, events, events / writing,
      events / all * subscribers, all / writing);
  (*app)->Stop([] { return false; });
  return subscribers < kSmallRun || busy <= kMostPerSubscriber ? 0 : 1;
}

int Run(const std::string& self, int subscribers, int events) {
  std::string folder = (std::filesystem::temp_directory_path() / "subscribers.XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  Options options;
  options.data_dir = std::filesystem::path(folder) / "data";
  options.listen = {"127.0.0.1:0"};
  options.min_free_disk = 0;
  const int code = Measure(options, self, subscribers, events);
  std::filesystem::remove_all(folder);
  return code;
}

}  // namespace
}  // namespace poller::test

int main(int argc, char** argv) {
  using namespace poller::test;
  AllowManySockets();
  if (argc == 6 && std::string_view(argv[1]) == "--follow")
    return Follow(argv[2], argv[3], std::atoi(argv[4]), std::atoi(argv[5]));
  return Run(std::filesystem::read_symlink("/proc/self/exe"), argc > 1 ? std::atoi(argv[1]) : 1000,
             argc > 2 ? std::atoi(argv[2]) : 400);
}
