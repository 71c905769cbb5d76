#include "client/commands/ask.h"

#include <fmt/format.h>

#include <optional>
#include <string>

namespace poller::client {

bool Confirm(Session& session, std::string_view question, bool preset) {
  for (;;) {
    const std::optional<std::string> answer =
        session.io().terminal.ReadLine(fmt::format("{} [{}] ", question, preset ? "Y/n" : "y/N"));
    if (!answer || answer->empty()) return preset;
    if (*answer == "y" || *answer == "Y" || *answer == "yes") return true;
    if (*answer == "n" || *answer == "N" || *answer == "no") return false;
  }
}

bool CanBeAsked(Session& session, bool yes, std::string_view instead) {
  if (yes || session.io().terminal.CanAsk()) return true;
  session.WrongUsage(fmt::format("nobody can be asked here: repeat with {}", instead));
  return false;
}

bool Agreed(Session& session, bool yes, std::string_view question, int& code) {
  code = kUsage;
  if (!CanBeAsked(session, yes)) return false;
  if (yes || Confirm(session, question, false)) return true;
  session.Note("nothing was done");
  code = kDone;
  return false;
}

}  // namespace poller::client
