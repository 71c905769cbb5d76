// What the process says with its exit code. Scripts depend on the numbers.
#pragma once

namespace poller::client {

inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;        // the server refused or failed
inline constexpr int kUsage = 2;          // wrong usage
inline constexpr int kNotFound = 3;       // no such thing
inline constexpr int kNotPermitted = 4;   // no token, a wrong one, or one that may not do this
inline constexpr int kUnreachable = 5;    // no server there
inline constexpr int kUnhealthy = 6;      // the thing tested is not healthy
inline constexpr int kUnfinished = 7;     // what was followed goes on: the time is over
inline constexpr int kInterrupted = 130;  // what was followed goes on: the user left (128 + SIGINT)

}  // namespace poller::client
