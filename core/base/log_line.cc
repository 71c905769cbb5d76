#include "core/base/log_line.h"

#include <algorithm>

#include "core/base/text.h"

namespace poller {
namespace {

std::string_view LevelWord(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string SafeKey(std::string_view key) {
  std::string out(key.empty() ? "_" : key);
  for (char& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  return out;
}

// In quotes, with the escapes that JSON and logfmt share. SafeText has left newlines as the only
// control character.
void AppendQuoted(std::string& out, std::string_view safe) {
  out += '"';
  for (const char c : safe) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

bool NeedsQuotes(std::string_view safe) {
  return safe.empty() || safe.find_first_of(" \"=\\\n") != safe.npos;
}

class LineWriter {
 public:
  explicit LineWriter(LogFormat format) : json_(format == LogFormat::kJson) {
    if (json_) line_ = "{";
  }

  void Add(std::string_view key, std::string_view value) {
    const std::string safe = SafeText(value, kMaxForeignText, true);
    if (!first_) line_ += json_ ? ',' : ' ';
    first_ = false;
    if (json_) {
      AppendQuoted(line_, SafeKey(key));
      line_ += ':';
    } else {
      line_ += SafeKey(key);
      line_ += '=';
    }
    if (json_ || NeedsQuotes(safe)) {
      AppendQuoted(line_, safe);
    } else {
      line_ += safe;
    }
  }

  std::string Finish() && {
    if (json_) line_ += '}';
    return std::move(line_);
  }

 private:
  bool json_;
  bool first_ = true;
  std::string line_;
};

}  // namespace

std::string FormatLogLine(LogFormat format, absl::Time time, LogLevel level,
                          std::string_view message, const std::vector<LogField>& fields) {
  LineWriter line(format);
  line.Add("time", poller::FormatTime(time));
  line.Add("level", LevelWord(level));
  line.Add("msg", message);
  for (const LogField& field : fields) line.Add(field.key, field.value);
  return std::move(line).Finish();
}

}  // namespace poller
