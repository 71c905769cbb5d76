// Files that are on the disk when we say so.
#pragma once

#include <filesystem>

#include "absl/status/status.h"

// Every error is kUnavailable and names the file and the cause, unless said otherwise.
namespace poller {

// An empty file that did not exist, for its owner alone whatever the umask. kAlreadyExists (reason
// FILE_EXISTS).
absl::Status CreatePrivateFile(const std::filesystem::path& path);
// Waits until what was written to the file is on the disk.
absl::Status SyncFile(const std::filesystem::path& path);
// The same for the names in the folder that holds `path`.
absl::Status SyncFolderOf(const std::filesystem::path& path);
// Gives `from` the name `to`, whatever had it before.
absl::Status ReplaceFile(const std::filesystem::path& from, const std::filesystem::path& to);
// The same, but kAlreadyExists (reason FILE_EXISTS) if something has the name.
absl::Status RenameToNew(const std::filesystem::path& from, const std::filesystem::path& to);
// Copies the bytes of `from` into `to`, a new private file, and waits for the disk.
absl::Status CopyToNewFile(const std::filesystem::path& from, const std::filesystem::path& to);
// Removes a file and what SQLite keeps beside it, as far as they are there.
void RemoveDatabaseFiles(const std::filesystem::path& path);

}  // namespace poller
