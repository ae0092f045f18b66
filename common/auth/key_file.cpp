#include "common/auth/key_file.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/bytes.hpp"

namespace tokenrail::auth {
namespace {

constexpr std::size_t content_bytes_max = 4096;
constexpr mode_t owner_only = 0600;
constexpr mode_t others = 077;

std::string reason(int error) {
  return std::generic_category().message(error);
}

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// 0, or the errno.
int write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0 ? 0 : errno;
}

std::string temporary_name(const std::string& file) {
  return fmt::format("{}.{}.new", file, crypto::to_hex(crypto::random_public_bytes(8)));
}

std::unexpected<Error> cannot_make(const std::string& file, const std::string& why) {
  return fail(ErrorKind::unavailable,
              fmt::format("the key file '{}' cannot be made: {}; set auth.dev_key_file to a file in a folder that this "
                          "user may write to",
                          file, why));
}

}  // namespace

Result<Secret> read_key_file(const std::string& file) {
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (opened.get() < 0 && errno == ENOENT) return fail(ErrorKind::not_found, fmt::format("'{}' is not there", file));
  if (opened.get() < 0)
    return fail(
        ErrorKind::unavailable,
        fmt::format("the key file '{}' cannot be read: {}; run both programs as the same user", file, reason(errno)));
  struct stat facts{};
  if (::fstat(opened.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return fail(ErrorKind::invalid_input, fmt::format("'{}' is not a file; set auth.dev_key_file to another", file));
  if ((facts.st_mode & others) != 0)
    return fail(
        ErrorKind::invalid_input,
        fmt::format("the key file '{}' may be read or written by other users; run chmod 600 on it, or delete it "
                    "and a new one is made",
                    file));
  const auto user = ::geteuid();
  if (user != 0 && facts.st_uid != user)
    return fail(ErrorKind::invalid_input,
                fmt::format("the key file '{}' belongs to another user; set auth.dev_key_file to another", file));
  std::string content(content_bytes_max + 1, '\0');
  const auto size = ::read(opened.get(), content.data(), content.size());
  content.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  if (size < 0 || content.size() > content_bytes_max)
    return fail(ErrorKind::invalid_input, fmt::format("'{}' holds no key; delete it, and a new one is made", file));
  return Secret(std::move(content));
}

Result<void> make_key_file(const std::string& file, std::string_view content) {
  const auto folder = std::filesystem::path(file).parent_path();
  std::error_code error;
  if (!folder.empty() && std::filesystem::create_directories(folder, error))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return cannot_make(file, error.message());

  const auto temporary = temporary_name(file);
  const Descriptor made(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, owner_only));
  if (made.get() < 0) return cannot_make(file, reason(errno));
  int failed = write_all(made.get(), content);
  // A link does what no rename does: it fails where another process was first.
  if (failed == 0 && ::link(temporary.c_str(), file.c_str()) != 0 && errno != EEXIST) failed = errno;
  ::unlink(temporary.c_str());
  if (failed != 0) return cannot_make(file, reason(failed));
  return {};
}

}  // namespace tokenrail::auth
