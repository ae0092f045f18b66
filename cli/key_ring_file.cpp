#include "cli/key_ring_file.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/bytes.hpp"

namespace tokenrail::cli {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

std::unexpected<Error> failed(std::string_view what, const std::string& path, int error) {
  return fail(ErrorKind::rejected, fmt::format("cannot {} '{}': {}; nothing was changed", what, path,
                                               std::generic_category().message(error)));
}

/// The folder of the file, for the calls that take a folder and a name.
struct Place {
  Descriptor folder;
  std::string name;
  std::string path;
};

Result<Place> place_of(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) return failed("open the folder", folder.string(), errno);
  if (!path.has_filename() || path.filename() == "." || path.filename() == "..")
    return fail(ErrorKind::invalid_input,
                fmt::format("'{}' names no file; name the key ring file itself", path.string()));
  return Place{.folder = std::move(descriptor), .name = path.filename().string(), .path = path.string()};
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// A new file beside the ring's own, on disk. Removed at the end unless it was renamed.
class NewFile {
 public:
  NewFile(const Place& place, std::string name) : place_(place), name_(std::move(name)) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (!name_.empty()) unlinkat(place_.folder.get(), name_.c_str(), 0);
  }

  /// `like`: the file whose owner and mode it gets; null: this user's, and 0600.
  [[nodiscard]] Result<void> write(const crypto::KeyRing& ring, const struct stat* like) const {
    const Descriptor file(openat(place_.folder.get(), name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0) return failed("write beside", place_.path, errno);
    const auto text = ring.to_text();
    if (!write_all(file.get(), text.reveal())) return failed("write beside", place_.path, errno);
    // Programs of another user read the file: it must stay theirs where root changes it.
    if (like != nullptr && like->st_uid != geteuid() && fchown(file.get(), like->st_uid, like->st_gid) != 0)
      return failed("keep the owner of", place_.path, errno);
    if (like != nullptr && fchmod(file.get(), like->st_mode & 07777) != 0)
      return failed("keep the mode of", place_.path, errno);
    if (fsync(file.get()) != 0) return failed("write to disk beside", place_.path, errno);
    return {};
  }
  [[nodiscard]] const char* name() const { return name_.c_str(); }
  void renamed() { name_.clear(); }

 private:
  const Place& place_;
  std::string name_;
};

std::string new_name(const Place& place) {
  constexpr std::size_t random_bytes = 9;
  return fmt::format(".{}.{}", place.name, crypto::random_token(random_bytes).reveal());
}

Result<void> onto_disk(const Place& place) {
  if (fsync(place.folder.get()) == 0) return {};
  return fail(ErrorKind::rejected,
              fmt::format("'{}' was written, but the disk has not confirmed it: {}; look whether it is there",
                          place.path, std::generic_category().message(errno)));
}

std::unexpected<Error> there_already(const std::string& path) {
  return fail(ErrorKind::rejected,
              fmt::format("'{}' is there already and was not changed; a key ring that is in use gets a new key with "
                          "'tokenrail keys rotate'",
                          path));
}

}  // namespace

Result<void> create_key_ring_file(const std::string& path, const crypto::KeyRing& ring, Keep keep) {
  auto place = place_of(path);
  if (!place) return std::unexpected(std::move(place.error()));
  if (keep == Keep::no) {
    struct stat facts{};
    if (fstatat(place->folder.get(), place->name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) return there_already(path);
    if (faccessat(place->folder.get(), ".", W_OK, AT_EACCESS) != 0) return failed("make", path, errno);
    return {};
  }
  const NewFile file(*place, new_name(*place));
  if (auto written = file.write(ring, nullptr); !written) return written;
  // Unlike a rename, this never replaces what is there.
  if (linkat(place->folder.get(), file.name(), place->folder.get(), place->name.c_str(), 0) != 0) {
    if (errno != EEXIST) return failed("make", path, errno);
    return there_already(path);
  }
  return onto_disk(*place);
}

Result<crypto::KeyRing> change_key_ring_file(const std::string& path,
                                             const std::function<Result<void>(crypto::KeyRing&)>& change, Keep keep) {
  std::error_code unresolved;
  const auto target = std::filesystem::canonical(path, unresolved);
  auto place = place_of(unresolved ? std::filesystem::path(path) : target);
  if (!place) return std::unexpected(std::move(place.error()));
  // The folder is locked, not the file: the file is replaced.
  if (flock(place->folder.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("lock the folder of", path, errno);
    return fail(ErrorKind::unavailable,
                fmt::format("another command is changing a key ring in the folder of '{}'; try again", path));
  }
  auto ring = crypto::KeyRing::load(place->path);
  if (!ring) return std::unexpected(std::move(ring.error()));
  struct stat facts{};
  if (fstatat(place->folder.get(), place->name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0)
    return failed("read", path, errno);
  if (auto changed = change(*ring); !changed) return std::unexpected(std::move(changed.error()));
  if (keep == Keep::no) return ring;

  NewFile file(*place, new_name(*place));
  if (auto written = file.write(*ring, &facts); !written) return std::unexpected(std::move(written.error()));
  if (renameat(place->folder.get(), file.name(), place->folder.get(), place->name.c_str()) != 0)
    return failed("replace", path, errno);
  file.renamed();
  if (auto kept = onto_disk(*place); !kept) return std::unexpected(std::move(kept.error()));
  return ring;
}

}  // namespace tokenrail::cli
