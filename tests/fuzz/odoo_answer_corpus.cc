// Writes the recordings as inputs of odoo_answer_fuzz: one file each, into the folder named.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "fmt/format.h"
#include "tests/fuzz/conversation.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: odoo_answer_corpus FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  poller::fuzz::Conversation conversation;
  int number = 0;
  for (const poller::fuzz::Input& input : conversation.Seeds()) {
    std::ofstream out(folder / fmt::format("{:04}", number++), std::ios::binary);
    out << poller::fuzz::ToBytes(input);
    if (!out.flush()) {
      std::fprintf(stderr, "cannot write into %s\n", folder.c_str());
      return 1;
    }
  }
  std::printf("%d inputs\n", number);
}
