#include "core/http/curl/name_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

namespace poller {
namespace {

constexpr absl::Duration kFresh = absl::Minutes(1);
constexpr absl::Duration kUsable = absl::Minutes(10);
// Names that nobody asked for since then are forgotten when there are many.
constexpr std::size_t kManyNames = 4096;

void Append(std::string& list, const addrinfo& info) {
  char text[INET6_ADDRSTRLEN] = {};
  const bool v4 = info.ai_family == AF_INET;
  if (!v4 && info.ai_family != AF_INET6) return;
  const void* const address =
      v4 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(info.ai_addr)->sin_addr)
         : &reinterpret_cast<const sockaddr_in6*>(info.ai_addr)->sin6_addr;
  if (inet_ntop(info.ai_family, address, text, sizeof text) == nullptr) return;
  if (!list.empty()) list += ',';
  list += v4 ? std::string(text) : "[" + std::string(text) + "]";
}

}  // namespace

NameLookup::Answer NameLookup::LookUp(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  const int why = errno;
  Answer answer;
  if (code == 0) {
    for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
      Append(answer.addresses, *info);
    }
    freeaddrinfo(found);
  }
  answer.found = !answer.addresses.empty();
  if (!answer.found) answer.error = code == 0 ? "no address" : gai_strerror(code);
  answer.exhausted = code == EAI_MEMORY || (code == EAI_SYSTEM && (why == EMFILE || why == ENFILE));
  return answer;
}

NameLookup::NameLookup(int threads, std::function<void()> changed) : threads_(threads) {
  absl::MutexLock lock(&shared_->mu);
  shared_->changed = std::move(changed);
  shared_->limits[static_cast<int>(Trust::kKnown)] = threads;
  shared_->limits[static_cast<int>(Trust::kNew)] = std::max(1, threads * 3 / 4);
  shared_->limits[static_cast<int>(Trust::kSuspect)] = std::max(1, threads / 4);
}

NameLookup::~NameLookup() {
  absl::MutexLock lock(&shared_->mu);
  shared_->stop = true;
  shared_->changed = nullptr;
}

std::unique_ptr<NameLookup::Answer> NameLookup::Ask(const std::string& name, absl::Duration now) {
  if (entries_.size() >= kManyNames) Forget(now);
  Entry& entry = entries_[name];
  const absl::Duration age = now - entry.found_at;
  if (age >= kFresh && !entry.asked) {
    entry.asked = true;
    Request(name, entry.trust);
  }
  return age < kUsable ? std::make_unique<Answer>(entry.answer) : nullptr;
}

std::vector<std::pair<std::string, NameLookup::Answer>> NameLookup::Take(absl::Duration now) {
  std::vector<std::pair<std::string, Answer>> answers;
  {
    absl::MutexLock lock(&shared_->mu);
    answers.swap(shared_->answers);
  }
  for (const auto& [name, answer] : answers) {
    Entry& entry = entries_[name];
    entry.asked = false;
    entry.trust = answer.found ? Trust::kKnown : Trust::kSuspect;
    if (!answer.found) continue;  // what was found before holds as long as it may
    entry.answer = answer;
    entry.found_at = now;
  }
  return answers;
}

void NameLookup::Request(const std::string& name, Trust trust) {
  absl::MutexLock lock(&shared_->mu);
  shared_->queues[static_cast<int>(trust)].push_back(name);
  if (shared_->threads == threads_) return;
  try {
    std::thread([shared = shared_] { Work(shared); }).detach();
    ++shared_->threads;
  } catch (const std::system_error&) {
    if (shared_->threads > 0) return;  // those that there are do it
    shared_->queues[static_cast<int>(trust)].pop_back();
    Answer answer;
    answer.exhausted = true;
    answer.error = "no thread to look the name up";
    shared_->answers.emplace_back(name, std::move(answer));
    shared_->changed();
  }
}

void NameLookup::Forget(absl::Duration now) {
  absl::erase_if(entries_, [now](const auto& entry) {
    return !entry.second.asked && now - entry.second.found_at >= kUsable;
  });
}

int NameLookup::NextQueue(const Shared& shared) {
  for (int i = 0; i < kTrusts; ++i) {
    if (!shared.queues[i].empty() && shared.busy < shared.limits[i]) return i;
  }
  return -1;
}

void NameLookup::Work(const std::shared_ptr<Shared>& shared) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  const auto wanted = [&shared]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(shared->mu) {
    return shared->stop || NextQueue(*shared) >= 0;
  };
  absl::MutexLock lock(&shared->mu);
  while (true) {
    shared->mu.Await(absl::Condition(&wanted));
    if (shared->stop) return;
    std::deque<std::string>& queue = shared->queues[NextQueue(*shared)];
    const std::string name = std::move(queue.front());
    queue.pop_front();
    ++shared->busy;
    shared->mu.Unlock();
    Answer answer = LookUp(name);
    shared->mu.Lock();
    --shared->busy;
    shared->answers.emplace_back(name, std::move(answer));
    if (shared->changed) shared->changed();
  }
}

}  // namespace poller
