// top
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/commands/commands.h"
#include "client/commands/top_view.h"
#include "client/convert.h"
#include "client/output/text.h"
#include "client/paging.h"
#include "client/ticker.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "odoopoller/v1/admin_service.grpc.pb.h"
#include "odoopoller/v1/connection_service.grpc.pb.h"

namespace poller::client {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr absl::Duration kShortest = absl::Milliseconds(100);

grpc::Status Fetch(Session& session, TopSample& sample) {
  const auto admin = session.Stub<api::AdminService>();
  grpc::Status status = session.Call(*admin, &api::AdminService::Stub::GetServerStatus,
                                     api::GetServerStatusRequest(), sample.status, kPatience);
  if (!status.ok()) return status;
  const auto connections = session.Stub<api::ConnectionService>();
  api::ListConnectionsResponse all;
  status = ListUpTo(session, *connections, &api::ConnectionService::Stub::ListConnections,
                    api::ListConnectionsRequest(), all, kNoLimit,
                    [](const api::ListConnectionsResponse& page) -> std::int64_t {
                      return page.connections_size();
                    });
  sample.connections.assign(all.connections().begin(), all.connections().end());
  sample.time = sample.status.has_time() ? ToTime(sample.status.time()) : session.now();
  return status;
}

class Top {
 public:
  Top(Session& session, Screen& screen, absl::Duration every)
      : session_(session), screen_(screen), every_(every) {
    view_.server = session.server();
    session_.set_canceller(&canceller_);
  }

  // Until the user has seen enough (OK), or the first answer is an error.
  grpc::Status Run() {
    grpc::Status end;
    Interrupt& interrupt = session_.io().interrupt;
    interrupt.OnInterrupt([this] {
      canceller_.Cancel();
      screen_.Wake();
    });
    screen_.Draw({"waiting for the first answer of " + Printable(view_.server)});
    {
      Ticker ticker([this] { Refresh(); }, every_);
      end = Loop(interrupt, ticker);
      canceller_.Cancel();
    }
    interrupt.OnInterrupt(nullptr);
    session_.set_canceller(nullptr);
    return end;
  }

 private:
  void Refresh() {
    TopSample sample;
    const grpc::Status status = Fetch(session_, sample);
    {
      absl::MutexLock lock(&mutex_);
      status_ = status;
      if (status.ok()) fresh_ = std::move(sample);
    }
    screen_.Wake();
  }

  grpc::Status Loop(Interrupt& interrupt, Ticker& ticker) {
    for (;;) {
      const ScreenEvent event = screen_.Wait(absl::Hours(1));
      if (interrupt.Interrupted() || event == ScreenEvent::kClosed) return grpc::Status::OK;
      if (event == ScreenEvent::kKey) {
        if (screen_.key() == 'q' || screen_.key() == 'Q') return grpc::Status::OK;
        Press(screen_.key(), ticker);
      }
      if (const grpc::Status status = TakeFresh(); !status.ok()) {
        if (history_.empty()) return status;
        view_.trouble = fmt::format("no answer, trying again: {}", status.error_message());
      }
      if (!history_.empty()) Draw();
    }
  }

  void Press(char key, Ticker& ticker) {
    if (key == 's') view_.sort = NextSort(view_.sort);
    if (key == 'u') view_.unhealthy_only = !view_.unhealthy_only;
    if (key == 's' || key == 'u') view_.first = 0;
    if (key == 'p' || key == ' ') {
      view_.paused = !view_.paused;
      ticker.Pause(view_.paused);
    }
    if (!history_.empty()) Scroll(key);
  }

  void Scroll(char key) {
    const TopRows rows = RowsIn(history_, view_, Height());
    const std::size_t page = std::max<std::size_t>(rows.shown, 1);
    view_.first = rows.first;
    if (key == kKeyUp || key == 'k') view_.first -= std::min<std::size_t>(view_.first, 1);
    if (key == kKeyPageUp) view_.first -= std::min(view_.first, page);
    if (key == kKeyHome) view_.first = 0;
    if (key == kKeyDown || key == 'j') view_.first += 1;
    if (key == kKeyPageDown) view_.first += page;
    if (key == kKeyEnd) view_.first = rows.all;
    // Where it ends now, so that the next key up moves at once.
    view_.first = RowsIn(history_, view_, Height()).first;
  }

  std::size_t Height() const { return static_cast<std::size_t>(std::max(screen_.Height(), 1)); }

  grpc::Status TakeFresh() {
    absl::MutexLock lock(&mutex_);
    if (fresh_) {
      history_.Add(*std::move(fresh_));
      fresh_.reset();
      view_.trouble.clear();
    }
    return std::exchange(status_, grpc::Status::OK);
  }

  void Draw() {
    Look look = session_.look();
    look.width = static_cast<std::size_t>(std::max(screen_.Width(), 1));
    screen_.Draw(TopLines(history_, view_, look, Height()));
  }

  Session& session_;  // used on the ticker's thread alone while it lives, save look()
  Screen& screen_;
  const absl::Duration every_;
  CallCanceller canceller_;
  TopHistory history_;
  TopView view_;
  absl::Mutex mutex_;
  std::optional<TopSample> fresh_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

int Once(Session& session) {
  TopSample sample;
  const grpc::Status status = Fetch(session, sample);
  if (!status.ok()) return session.Fail(status);
  TopHistory history;
  history.Add(std::move(sample));
  TopView view;
  view.server = session.server();
  for (const std::string& line : TopLines(history, view, session.look(), std::nullopt))
    session.io().out << line << '\n';
  return kDone;
}

struct TopOptions {
  std::string every;
  bool once = false;
};

int RunTop(Session& session, const TopOptions& options) {
  if (!session.table()) {
    return session.WrongUsage(
        "top is for eyes; for programs: pollerctl status --watch -o jsonl, or pollerctl list "
        "--watch -o jsonl");
  }
  if (options.once) return Once(session);
  const auto every = ParseDuration(options.every);
  if (!every.ok())
    return session.WrongUsage(fmt::format("--interval: {}", Message(every.status())));
  if (*every < kShortest) return session.WrongUsage("--interval: must be 100ms or longer");
  std::unique_ptr<Screen> screen = session.io().terminal.OpenScreen();
  if (screen == nullptr) {
    return session.WrongUsage(
        "top needs a terminal; without one: pollerctl status --watch -o jsonl, or pollerctl top "
        "--once");
  }
  const grpc::Status end = Top(session, *screen, *every).Run();
  screen.reset();  // before words
  return end.ok() ? kDone : session.Fail(end);
}

}  // namespace

void RegisterTop(Registry& registry) {
  auto options = std::make_shared<TopOptions>();
  options->every = "2s";
  CLI::App& verb =
      registry.Verb(kServer, "top", "Watch all shops live: what needs somebody stands first",
                    "pollerctl top             q quits, s sorts, u only unhealthy, p freezes it,\n"
                    "                          arrows and PgUp/PgDn scroll\n"
                    "pollerctl top --once      one table",
                    [options](Session& session) { return RunTop(session, *options); });
  verb.add_option("--interval", options->every, "From look to look [2s]")->type_name("DURATION");
  verb.add_flag("--once", options->once, "Show it once, also without a terminal");
}

}  // namespace poller::client
