#include "core/base/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "core/base/clock.h"
#include "core/base/log_line.h"
#include "core/base/status.h"

namespace poller {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

class SilentLogger final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return false; }
  void Write(LogLevel, std::string_view, const std::vector<LogField>&) override {}
};

}  // namespace

absl::StatusOr<LogLevel> ParseLogLevel(std::string_view word) {
  if (word == "debug") return LogLevel::kDebug;
  if (word == "info") return LogLevel::kInfo;
  if (word == "warning" || word == "warn") return LogLevel::kWarning;
  if (word == "error") return LogLevel::kError;
  return absl::InvalidArgumentError("expected debug, info, warning or error");
}

absl::StatusOr<LogFormat> ParseLogFormat(std::string_view word) {
  if (word == "logfmt") return LogFormat::kLogfmt;
  if (word == "json") return LogFormat::kJson;
  return absl::InvalidArgumentError("expected logfmt or json");
}

LogField::LogField(std::string_view k, const absl::Status& status)
    : key(k), value(Describe(status)) {}

struct StderrLogger::Impl {
  explicit Impl(LogFormat line_format)
      : format(line_format), out("poller", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    out.set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    // A full disk behind stderr must not end the service, and there is nowhere else to complain.
    out.set_error_handler([](const std::string&) {});
  }
  const LogFormat format;
  spdlog::logger out;
};

StderrLogger::StderrLogger(LogLevel level, LogFormat format)
    : impl_(std::make_unique<Impl>(format)) {
  SetLevel(level);
}

StderrLogger::~StderrLogger() = default;

bool StderrLogger::Enabled(LogLevel level) const { return impl_->out.should_log(ToSpdlog(level)); }

void StderrLogger::Write(LogLevel level, std::string_view message,
                         const std::vector<LogField>& fields) {
  if (!Enabled(level)) return;
  const std::string line =
      FormatLogLine(impl_->format, SystemClock().Now(), level, message, fields);
  impl_->out.log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void StderrLogger::SetLevel(LogLevel level) { impl_->out.set_level(ToSpdlog(level)); }

Logger& NullLogger() {
  static SilentLogger* const logger = new SilentLogger;
  return *logger;
}

}  // namespace poller
