// KeyRing::load(): the one part of the key ring that touches a file.
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/key_ring.hpp"

namespace tokenrail::crypto {
namespace {

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::unexpected<Error> cannot_read(const std::string& path, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  return fail(missing ? ErrorKind::not_found : ErrorKind::invalid_input,
              fmt::format("cannot read the key ring file '{}': {}; {}", path, std::generic_category().message(error),
                          missing ? "'tokenrail keys create FILE' makes one" : "let this program's user own it"));
}

std::unexpected<Error> invalid(std::string detail) {
  return fail(ErrorKind::invalid_input, std::move(detail));
}

}  // namespace

Result<KeyRing> KeyRing::load(const std::string& path) {
  // Without O_NONBLOCK the opening of a pipe would wait for a writer.
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return cannot_read(path, errno);
  struct stat facts{};
  if (fstat(file.get(), &facts) != 0) return cannot_read(path, errno);
  if (!S_ISREG(facts.st_mode))
    return invalid(fmt::format("the key ring file '{}' is no file; name the file itself", path));
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return invalid(
        fmt::format("the key ring file '{}' has mode {:04o}, so others than its owner can use it; run "
                    "'chmod 600 {}', and replace its keys if others may have read it",
                    path, facts.st_mode & 07777, path));
  }
  if (facts.st_size > static_cast<off_t>(ring_text_bytes_max))
    return invalid(fmt::format("the key ring file '{}' is larger than 1 MiB; it is no key ring", path));

  std::string buffer(ring_text_bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < buffer.size()) {
    const auto got = read(file.get(), buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  buffer.resize(size);
  const Secret text(std::move(buffer));
  auto ring = parse(text.reveal());
  if (!ring) return invalid(fmt::format("the key ring file '{}': {}", path, ring.error().detail));
  return ring;
}

}  // namespace tokenrail::crypto
