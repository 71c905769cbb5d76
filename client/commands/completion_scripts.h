// The scripts with which shells ask `pollerctl __complete WORDS...` what may stand at the cursor.
//
// Its answer: one candidate a line, value, tab, description; a line ":files" if a file may stand
// there too.
#pragma once

#include <string_view>

namespace poller::client {

// "bash", "zsh" or "fish"; empty: none of them.
std::string_view CompletionScript(std::string_view shell);

}  // namespace poller::client
