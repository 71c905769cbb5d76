#include "server/disk_watch.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/base/status_metadata.h"
#include "core/base/text.h"

namespace poller {

absl::StatusOr<std::int64_t> FreeDisk(const std::filesystem::path& path) {
  struct statvfs info{};
  if (statvfs(path.c_str(), &info) != 0) {
    return MakeStatus(absl::StatusCode::kUnavailable,
                      "cannot tell how much of the disk of " + path.string() +
                          " is free: " + std::generic_category().message(errno));
  }
  return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

absl::Status CheckRoom(std::string_view what, std::int64_t needed, std::int64_t free,
                       std::int64_t min_free) {
  if (free - min_free >= needed) return absl::OkStatus();
  absl::Status status = MakeStatus(
      absl::StatusCode::kFailedPrecondition,
      std::string(what) + " takes about " + FormatBytes(needed) + ", and " + FormatBytes(free) +
          " are free on that disk of the server, of which " + FormatBytes(min_free) +
          " stay free (--min-free-disk): make room, or move older backups elsewhere");
  status = WithReason(std::move(status), "NO_DISK_SPACE");
  status = WithMetadata(std::move(status), "needed_bytes", std::to_string(needed));
  status = WithMetadata(std::move(status), "free_bytes", std::to_string(free));
  return WithMetadata(std::move(status), "min_free_bytes", std::to_string(min_free));
}

Task<void> DiskWatch::Run() {
  while (!stopped_) {
    auto measure = [this] { return deps_.measure(); };
    Take(co_await Offload(deps_.storage_pool, std::move(measure)));
    if (low_ != announced_) co_await Announce();
    if (!stopped_) co_await deps_.sleeper.Sleep(kInterval, &wakeup_);
  }
}

void DiskWatch::Stop() {
  stopped_ = true;
  wakeup_.Notify();
}

void DiskWatch::Take(const absl::StatusOr<std::int64_t>& free) {
  if (!free.ok()) {
    deps_.log.Warning("the disk cannot be measured", {{"error", free.status()}});
    return;
  }
  free_ = *free;
  const bool low = low_ ? *free < min_free_ + min_free_ / 10 : *free < min_free_;
  if (low == low_) return;
  low_ = low;
  if (low) {
    deps_.log.Error("the disk is nearly full: polling stops, deliveries go on",
                    {{"free", FormatBytes(*free)}, {"min_free_disk", FormatBytes(min_free_)}});
  } else {
    deps_.log.Info("the disk has room again: polling goes on", {{"free", FormatBytes(*free)}});
    deps_.recovered();
  }
}

// A full disk may refuse the event: the next look tries again, as long as there is news.
Task<void> DiskWatch::Announce() {
  const bool low = low_;
  SyncEvent event;
  event.at = deps_.clock.Now();
  event.type = low ? EventType::kDiskLow : EventType::kDiskRecovered;
  event.detail.count = free_;
  event.detail.change = FormatBytes(free_) + " free, --min-free-disk is " + FormatBytes(min_free_);
  auto append = [this, event] { return deps_.events.Append(event); };
  const auto appended = co_await Offload(deps_.storage_pool, std::move(append));
  if (appended.ok()) announced_ = low;
}

}  // namespace poller
