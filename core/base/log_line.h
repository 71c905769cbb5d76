// How one log entry becomes one line of text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/base/log.h"

namespace poller {

// One line without its end: time, level, msg, then the fields in order. Whatever message and values
// hold, it is one line, valid UTF-8, without control characters, and reads back as logfmt or JSON;
// a newline inside a value is "\n". Pure.
std::string FormatLogLine(LogFormat format, absl::Time time, LogLevel level,
                          std::string_view message, const std::vector<LogField>& fields);

}  // namespace poller
