#include "client/watch_flag.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/output/text.h"
#include "client/ticker.h"
#include "core/base/status.h"
#include "core/base/text.h"

namespace poller::client {
namespace {

constexpr absl::Duration kShortest = absl::Milliseconds(100);

struct Answer {
  int code = kDone;
  std::string out, err;
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

// A server that comes back can mend it.
bool MayPass(int code) { return code == kUnreachable || code == kRefused; }

std::string LocalTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::LocalTimeZone());
}

// Does the verb with its output caught.
class Repeater {
 public:
  Repeater(Session& session, const Registry::Action& once, absl::Duration every)
      : session_(session), once_(once), every_(every) {}

  int Run() {
    Interrupt& interrupt = session_.io().interrupt;
    std::unique_ptr<Screen> screen =
        session_.table() ? session_.io().terminal.OpenScreen() : nullptr;
    session_.set_canceller(&canceller_);
    interrupt.OnInterrupt([this, raw = screen.get()] {
      canceller_.Cancel();
      if (raw != nullptr) raw->Wake();
    });
    int code = screen != nullptr ? OnScreen(*screen) : Appended();
    interrupt.OnInterrupt(nullptr);
    session_.set_canceller(nullptr);
    screen.reset();
    if (interrupt.Interrupted()) code = kDone;
    // What was seen last stays to be read, and the reason of an end.
    session_.io().out << left_.out << std::flush;
    session_.io().err << left_.err << std::flush;
    return code;
  }

 private:
  Answer Do() {
    std::ostringstream out, err;
    Io& io = session_.io();
    Io caught{io.in, out, err, io.terminal, io.interrupt, io.clock, io.env};
    Session session = session_.In(caught);
    Answer answer;
    answer.code = once_(session);
    answer.out = out.str();
    answer.err = err.str();
    return answer;
  }

  // ------------------------------------------------------------ on a terminal

  void Refresh(Screen& screen) {
    Answer answer = Do();
    {
      absl::MutexLock lock(&mutex_);
      newest_ = std::move(answer);
      time_ = session_.now();
      fresh_ = true;
    }
    screen.Wake();
  }

  int OnScreen(Screen& screen) {
    Draw(screen, {"waiting for the first answer"}, "");
    Ticker ticker([this, &screen] { Refresh(screen); }, every_);
    const int code = Loop(screen);
    canceller_.Cancel();  // else the ticker would wait for the call that is under way
    return code;
  }

  int Loop(Screen& screen) {
    std::vector<std::string> body;
    std::string trouble;
    for (;;) {
      const ScreenEvent event = screen.Wait(absl::Hours(1));
      if (session_.io().interrupt.Interrupted() || event == ScreenEvent::kClosed ||
          (event == ScreenEvent::kKey && (screen.key() == 'q' || screen.key() == 'Q'))) {
        return kDone;
      }
      if (Answer answer; TakeFresh(answer)) {
        if (answer.code == kDone) {
          left_ = answer;
          known_ = true;
          trouble.clear();
          body = Lines(answer.out + answer.err);
        } else if (!known_ || !MayPass(answer.code)) {
          left_ = {answer.code, "", answer.err};
          return answer.code;
        } else {
          trouble = Trouble(answer.err);
        }
      }
      if (known_) Draw(screen, body, trouble);
    }
  }

  bool TakeFresh(Answer& answer) {
    absl::MutexLock lock(&mutex_);
    if (!std::exchange(fresh_, false)) return false;
    answer = newest_;
    if (answer.code == kDone) shown_time_ = time_;
    return true;
  }

  void Draw(Screen& screen, const std::vector<std::string>& body, const std::string& trouble) {
    const auto width = static_cast<std::size_t>(std::max(screen.Width(), 1));
    const Look look = session_.look();
    std::vector<std::string> lines;
    const std::string head =
        fmt::format("every {}   {}   q: quit", poller::FormatDuration(every_),
                    shown_time_ == absl::InfinitePast() ? "" : LocalTime(shown_time_));
    lines.push_back(Paint(FitWidth(head, width), Colour::kDim, look));
    lines.push_back(trouble.empty() ? "" : Paint(FitWidth(trouble, width), Colour::kBad, look));
    const auto room = static_cast<std::size_t>(std::max(screen.Height() - 2, 1));
    const std::size_t shown = body.size() <= room ? body.size() : room - 1;
    lines.insert(lines.end(), body.begin(), body.begin() + static_cast<std::ptrdiff_t>(shown));
    if (shown < body.size())
      lines.push_back(FitWidth(fmt::format("… {} more lines", body.size() - shown), width));
    screen.Draw(lines);
  }

  // ------------------------------------------------------------ elsewhere

  int Appended() {
    Interrupt& interrupt = session_.io().interrupt;
    bool away = false;
    do {
      const Answer answer = Do();
      if (interrupt.Interrupted()) return kDone;
      if (answer.code == kDone) {
        if (std::exchange(away, false)) session_.Note("pollerctl: the server answers again");
        known_ = true;
        Append(answer);
      } else if (!known_ || !MayPass(answer.code)) {
        left_ = {answer.code, "", answer.err};
        return answer.code;
      } else if (!std::exchange(away, true)) {
        session_.Note("pollerctl: " + Trouble(answer.err));
      }
    } while (interrupt.Wait(every_));
    return kDone;
  }

  void Append(const Answer& answer) {
    std::ostream& out = session_.io().out;
    if (session_.format() == Format::kJsonLines) {
      std::set<std::string> present;
      for (const std::string& line : Lines(answer.out)) {
        if (!before_.contains(line)) out << line << '\n';
        present.insert(line);
      }
      before_ = std::move(present);
    } else {
      if (session_.table()) out << "-- " << poller::FormatTime(session_.now()) << '\n';
      out << answer.out;
    }
    out.flush();
    session_.io().err << answer.err << std::flush;
  }

  // Of what the verb wrote the first line says why.
  static std::string Trouble(const std::string& err) {
    constexpr std::string_view kName = "pollerctl: ";
    std::string why = err.substr(0, err.find('\n'));
    if (why.starts_with(kName)) why.erase(0, kName.size());
    return fmt::format("no answer ({}); trying again until there is one", why);
  }

  Session& session_;
  const Registry::Action& once_;
  const absl::Duration every_;
  CallCanceller canceller_;
  bool known_ = false;  // there was an answer: there is a server that lets us read
  Answer left_;         // for the terminal when the window is given back
  std::set<std::string> before_;
  absl::Time shown_time_ = absl::InfinitePast();

  absl::Mutex mutex_;
  Answer newest_ ABSL_GUARDED_BY(mutex_);
  absl::Time time_ ABSL_GUARDED_BY(mutex_);
  bool fresh_ ABSL_GUARDED_BY(mutex_) = false;
};

int RunWatched(Session& session, const std::string& interval, const Registry::Action& once) {
  if (interval.empty()) return once(session);
  const auto every = ParseDuration(interval);
  if (!every.ok()) return session.WrongUsage(fmt::format("--watch: {}", Message(every.status())));
  if (*every < kShortest) return session.WrongUsage("--watch: must be 100ms or longer");
  return Repeater(session, once, *every).Run();
}

}  // namespace

void AddWatch(Registry& registry, CLI::App& verb) {
  auto interval = std::make_shared<std::string>();
  verb.add_flag("--watch{2s}", *interval,
                "Show it again and again, such as --watch=5s; Ctrl-C ends it");
  registry.Wrap(verb, [interval](Registry::Action once) {
    return [interval, once = std::move(once)](Session& session) {
      return RunWatched(session, *interval, once);
    };
  });
}

}  // namespace poller::client
