// How much memory this process holds.
#pragma once

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace poller::test {

// In bytes, after what malloc keeps for later was given back. Means nothing under AddressSanitizer,
// which keeps aside what was freed.
inline double Resident() {
  malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace poller::test
