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

bool Agreed(Session& session, bool yes, std::string_view question, int& code) {
  if (yes) return true;
  if (!session.io().terminal.CanAsk()) {
    code = session.WrongUsage("nobody can be asked here: repeat with --yes");
    return false;
  }
  if (Confirm(session, question, false)) return true;
  session.Note("nothing was done");
  code = kDone;
  return false;
}

}  // namespace poller::client
