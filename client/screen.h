// The real window: the alternate screen of a terminal, and its keys one by one.
#pragma once

#include <memory>

#include "client/io.h"

namespace poller::client {

// Takes the terminal of standard output over: alternate screen, no cursor; keys of standard input
// without Enter, if that is a terminal too. nullptr: standard output is no terminal, or one that
// cannot do this (TERM=dumb). One at a time.
//
// The terminal is put back when the screen is destroyed, and whatever ends or stops the process:
// Ctrl-Z, a closed pipe, an abort; who ends the process without destructors calls LeaveScreen.
std::unique_ptr<Screen> TakeScreen();

// Puts the terminal back as it was; without effect if nothing was taken. Any thread, and handlers
// of signals.
void LeaveScreen();

}  // namespace poller::client
