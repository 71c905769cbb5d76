// libFuzzer's way into the Odoo client: see CONTRIBUTING.md, "Fuzzing".
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/fuzz/conversation.h"
#include "tests/fuzz/mutation.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto& conversation = *new poller::fuzz::Conversation();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string complaint = conversation.Run(poller::fuzz::FromBytes(bytes));
  if (!complaint.empty()) {
    std::fprintf(stderr, "%s\n", complaint.c_str());
    std::abort();
  }
  return 0;
}

// Half of the mutations know JSON; the fuzzer's own know nothing and learn from the coverage.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  poller::fuzz::Chance chance(seed);
  if (size <= poller::fuzz::kHeaderBytes || chance.OneIn(2)) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  poller::fuzz::Input input = poller::fuzz::FromBytes(bytes);
  input.body = poller::fuzz::Mutate(input.body, chance);
  const std::string mutated = poller::fuzz::ToBytes(input);
  if (mutated.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, mutated.data(), mutated.size());
  return mutated.size();
}
