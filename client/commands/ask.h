// Questions to the person at the terminal.
#pragma once

#include <string_view>

#include "client/session.h"

namespace poller::client {

// "question [y/N] " until it is answered with yes or no; Enter and the end of the input give
// `preset`.
bool Confirm(Session& session, std::string_view question, bool preset);

// False: nobody can be asked, and `yes` was not given. Says so, and what else may be given; the exit
// code is kUsage.
bool CanBeAsked(Session& session, bool yes, std::string_view instead = "--yes");

// Before something that cannot be undone: true with `yes` or when the person agrees. Else `code` is
// the exit code, and the reason was said: nobody can be asked, or the answer was no.
bool Agreed(Session& session, bool yes, std::string_view question, int& code);

}  // namespace poller::client
