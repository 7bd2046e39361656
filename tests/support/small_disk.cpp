#include "support/small_disk.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <pwd.h>
#include <sys/mount.h>
#include <unistd.h>

namespace um::test {

SmallDisk::SmallDisk(Options options)
    : options_{std::move(options)},
      where_{std::filesystem::temp_directory_path() / "um-disk-XXXXXX"} {
  mounted_ = ::mkdtemp(where_.data()) != nullptr && mount() && hand_over();
}

SmallDisk::~SmallDisk() {
  if (mounted_) ::umount2(where_.c_str(), MNT_DETACH);
  ::rmdir(where_.c_str());
}

bool SmallDisk::mount() const {
  const auto options = "size=" + options_.size;
  return ::mount("tmpfs", where_.c_str(), "tmpfs", 0, options.c_str()) == 0;
}

bool SmallDisk::hand_over() const {
  if (options_.owner.empty()) return true;
  const passwd* owner = ::getpwnam(options_.owner.c_str());  // NOLINT(concurrency-mt-unsafe)
  return owner != nullptr && ::chown(where_.c_str(), owner->pw_uid, owner->pw_gid) == 0;
}

bool SmallDisk::make_read_only() const {
  const auto options = "size=" + options_.size;
  constexpr auto kFlags = MS_REMOUNT | MS_RDONLY;
  return ::mount("tmpfs", where_.c_str(), "tmpfs", kFlags, options.c_str()) == 0;
}

void SmallDisk::fill() const {
  std::ofstream filler{file("filler"), std::ios::binary};
  const std::string block(4096, 'x');
  while (filler << block << std::flush) {
  }
}

void SmallDisk::empty() const {
  std::filesystem::remove(file("filler"));
}

}  // namespace um::test
