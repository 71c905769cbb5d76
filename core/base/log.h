// Structured logs: one line an event, logfmt or JSON, to stderr.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/strong_id.h"

namespace poller {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kLogfmt, kJson };

// kInvalidArgument names the accepted words.
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view word);
absl::StatusOr<LogFormat> ParseLogFormat(std::string_view word);

// One key=value of a line. Values are made safe (text.h) when written; never pass a secret.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, std::int64_t v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, int v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, std::uint64_t v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, const absl::Status& status);
  template <class Tag>
  LogField(std::string_view k, StrongId<Tag, std::int64_t> id)
      : key(k), value(std::to_string(id.value())) {}

  std::string key;
  std::string value;
};

// Thread-safe.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual bool Enabled(LogLevel level) const = 0;
  // `message` is a constant sentence; what varies goes into fields ("connection", "order",
  // "delivery", "error", ...).
  virtual void Write(LogLevel level, std::string_view message,
                     const std::vector<LogField>& fields) = 0;

  void Debug(std::string_view message, const std::vector<LogField>& fields = {}) {
    if (Enabled(LogLevel::kDebug)) Write(LogLevel::kDebug, message, fields);
  }
  void Info(std::string_view message, const std::vector<LogField>& fields = {}) {
    if (Enabled(LogLevel::kInfo)) Write(LogLevel::kInfo, message, fields);
  }
  void Warning(std::string_view message, const std::vector<LogField>& fields = {}) {
    if (Enabled(LogLevel::kWarning)) Write(LogLevel::kWarning, message, fields);
  }
  void Error(std::string_view message, const std::vector<LogField>& fields = {}) {
    Write(LogLevel::kError, message, fields);
  }
};

// Writes to stderr; the level can be changed while running.
class StderrLogger final : public Logger {
 public:
  StderrLogger(LogLevel level, LogFormat format);
  ~StderrLogger() override;
  bool Enabled(LogLevel level) const override;
  void Write(LogLevel level, std::string_view message,
             const std::vector<LogField>& fields) override;
  void SetLevel(LogLevel level);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Swallows everything. Lives for ever.
Logger& NullLogger();

}  // namespace poller
