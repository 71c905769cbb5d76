#include "client/session.h"

#include <fmt/format.h>
#include <grpc/support/time.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "client/errors.h"
#include "client/output/json.h"
#include "client/output/text.h"
#include "client/suggest_connection.h"
#include "core/base/status.h"
#include "core/base/text.h"

namespace poller::client {
namespace {

constexpr const char* kDefaultTokenFile = "./data/admin.token";

std::string FirstLine(std::string text) {
  const std::size_t end = text.find_first_of("\r\n");
  if (end != std::string::npos) text.resize(end);
  return text;
}

}  // namespace

void CallCanceller::Cancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

void CallCanceller::Begin(grpc::ClientContext& context) {
  absl::MutexLock lock(&mutex_);
  context_ = &context;
  if (cancelled_) context.TryCancel();
}

void CallCanceller::End() {
  absl::MutexLock lock(&mutex_);
  context_ = nullptr;
}

Session Session::In(Io& io) const {
  Session session(io, options_);
  session.channel_ = channel_;
  session.token_ = token_;
  session.timeout_ = timeout_;
  session.connected_ = connected_;
  session.typed_connection_ = typed_connection_;
  session.canceller_ = canceller_;
  return session;
}

int Session::Open() {
  if (!options_.timeout.empty()) {
    const auto timeout = ParseDuration(options_.timeout);
    if (!timeout.ok()) return WrongUsage(fmt::format("--timeout: {}", Message(timeout.status())));
    if (*timeout <= absl::ZeroDuration()) return WrongUsage("--timeout: must be longer than 0");
    timeout_ = *timeout;
  }
  if (!options_.token_file.empty()) {
    auto token = ReadFile(options_.token_file);
    if (!token.ok())
      return WrongUsage(fmt::format("{}: {}", options_.token_origin, Message(token.status())));
    token_ = Secret(FirstLine(*std::move(token)));
  } else if (options_.context.empty()) {
    // Not to the server of a context: that token is of a server that runs in this folder.
    if (auto token = ReadFile(kDefaultTokenFile); token.ok())
      token_ = Secret(FirstLine(*std::move(token)));
  }
  const std::string& characters = token_.Reveal();
  if (std::any_of(characters.begin(), characters.end(),
                  [](char c) { return c < '!' || c > '~'; })) {
    return WrongUsage("the token file does not hold a token");
  }
  auto channel = MakeChannel(options_.channel);
  if (!channel.ok()) return WrongUsage(Message(channel.status()));
  channel_ = *std::move(channel);
  return kDone;
}

Look Session::look() const {
  Look look;
  if (!io_.terminal.OutputIsTerminal()) return look;
  look.width = static_cast<std::size_t>(io_.terminal.Width());
  const auto no_colour = io_.env("NO_COLOR");
  look.colour = (!no_colour || no_colour->empty()) && io_.env("TERM").value_or("") != "dumb";
  return look;
}

void Session::Prepare(grpc::ClientContext& context, absl::Duration patience) const {
  if (!token_.empty()) context.AddMetadata("authorization", "Bearer " + token_.Reveal());
  if (patience == absl::InfiniteDuration()) return;
  context.set_deadline(gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_millis(absl::ToInt64Milliseconds(timeout_.value_or(patience)), GPR_TIMESPAN)));
}

bool Session::Connected() {
  return connected_ ||
         (channel_ && channel_->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_READY);
}

int Session::Fail(const grpc::Status& status) {
  const bool connected = Connected();
  const std::string where = options_.context.empty()
                                ? server()
                                : fmt::format("{} (context {})", server(), options_.context);
  ReportError(io_.err, status, where, connected);
  if (!typed_connection_.empty() && DetailsOf(status).reason == "CONNECTION_NOT_FOUND")
    SuggestConnection(*this, std::exchange(typed_connection_, ""));
  return ExitCodeOf(status, connected);
}

int Session::WrongUsage(std::string_view message) {
  io_.err << "pollerctl: " << message << '\n';
  return kUsage;
}

void Session::Note(std::string_view text) { io_.err << text << std::endl; }

void Session::PrintMessage(const google::protobuf::Message& message) {
  if (options_.format == Format::kJsonLines) {
    PrintJsonLine(io_.out, message);
  } else {
    PrintJson(io_.out, message);
  }
}

api::ConnectionRef ParseConnectionRef(const std::string& id) {
  api::ConnectionRef ref;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  const bool digits =
      !id.empty() && std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits && error == std::errc() && end == id.data() + id.size()) {
    ref.set_id(number);
  } else {
    ref.set_name(id);
  }
  return ref;
}

}  // namespace poller::client
