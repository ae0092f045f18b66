#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/key_ring.hpp"
#include "tests/unit/common/crypto/ring_fixture.hpp"

namespace tokenrail::crypto {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class KeyRingFile : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::string written(const std::string& text, mode_t mode = 0600) const {
    const auto file = path("ring.json");
    std::ofstream(file, std::ios::binary) << text;
    chmod(file.c_str(), mode);
    return file;
  }
  static std::string good() { return ring_json(key_json("a", "primary", key_a)); }
  static void expect_refused(const std::string& file, ErrorKind kind, const std::string& reason) {
    const auto ring = KeyRing::load(file);
    ASSERT_FALSE(ring) << file;
    EXPECT_EQ(ring.error().kind, kind);
    EXPECT_THAT(ring.error().detail, AllOf(HasSubstr(file), HasSubstr(reason), Not(HasSubstr("jx1M"))));
  }

 private:
  std::string folder_ = ::testing::TempDir() + "key-ring-file-" + std::to_string(getpid());
};

TEST_F(KeyRingFile, ReadsPrivateFile) {
  for (const mode_t mode : {0600U, 0400U, 0700U}) {
    const auto ring = KeyRing::load(written(good(), mode));
    ASSERT_TRUE(ring) << ring.error().detail;
    EXPECT_EQ(ring->primary_id(), "a");
    std::filesystem::remove(path("ring.json"));
  }
}

TEST_F(KeyRingFile, OpenToOthersIsRefused) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0644U, 0666U, 0777U}) {
    const auto file = written(good(), mode);
    expect_refused(file, ErrorKind::invalid_input, "chmod 600");
  }
}

TEST_F(KeyRingFile, MissingFileIsNotFound) {
  expect_refused(path("none.json"), ErrorKind::not_found, "tokenrail keys create");
  expect_refused(written(good()) + "/below", ErrorKind::not_found, "tokenrail keys create");
  expect_refused("", ErrorKind::not_found, "cannot read the key ring file ''");
}

TEST_F(KeyRingFile, RefusesPathThatIsNoFile) {
  std::filesystem::create_directory(path("folder"));
  chmod(path("folder").c_str(), 0700);
  expect_refused(path("folder"), ErrorKind::invalid_input, "is no file");
  // Opening a pipe without a writer would block.
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  expect_refused(path("pipe"), ErrorKind::invalid_input, "is no file");
}

TEST_F(KeyRingFile, HasABound) {
  const std::string room(ring_text_bytes_max - good().size(), ' ');
  EXPECT_TRUE(KeyRing::load(written(good() + room)));
  expect_refused(written(good() + room + " "), ErrorKind::invalid_input, "larger than 1 MiB");
}

TEST_F(KeyRingFile, RefusesFileWithoutRingByName) {
  expect_refused(written(""), ErrorKind::invalid_input, "the key ring is empty");
  expect_refused(written(good() + "jx1M"), ErrorKind::invalid_input, "not valid JSON");
  expect_refused(written(ring_json(key_json("a", "decrypt", key_a))), ErrorKind::invalid_input, "state primary");
}

TEST_F(KeyRingFile, MayBeNamedByALink) {
  const auto file = written(good());
  std::filesystem::create_symlink(file, path("link"));
  EXPECT_TRUE(KeyRing::load(path("link")));
}

}  // namespace
}  // namespace tokenrail::crypto
