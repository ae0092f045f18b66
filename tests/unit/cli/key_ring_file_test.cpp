#include "cli/key_ring_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tokenrail::cli {
namespace {

using crypto::KeyRing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class KeyRingFileOfCommands : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name = "ring.json") const { return folder_ + "/" + name; }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
    return names;
  }
  static mode_t mode_of(const std::string& file) {
    struct stat facts{};
    EXPECT_EQ(stat(file.c_str(), &facts), 0);
    return facts.st_mode & 07777;
  }
  static std::string text_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static Result<void> rotate(KeyRing& ring) {
    if (auto added = ring.add("next"); !added) return added;
    return ring.promote("next");
  }
  void create() const { ASSERT_TRUE(create_key_ring_file(path(), KeyRing::create("first").value())); }

 private:
  std::string folder_ = ::testing::TempDir() + "key-ring-of-commands-" + std::to_string(getpid());
};

TEST_F(KeyRingFileOfCommands, IsMadeForItsOwnerAlone) {
  create();
  EXPECT_EQ(mode_of(path()), 0600U);
  EXPECT_THAT(files(), ElementsAre("ring.json"));
  EXPECT_EQ(KeyRing::load(path()).value().primary_id(), "first");
}

TEST_F(KeyRingFileOfCommands, IsNeverOverwritten) {
  std::ofstream(path()) << "something else";
  std::filesystem::create_symlink(path("nowhere"), path("link"));
  for (const auto& there : {path(), path("link")}) {
    const auto created = create_key_ring_file(there, KeyRing::create("first").value());
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().kind, ErrorKind::rejected);
    EXPECT_THAT(created.error().detail, AllOf(HasSubstr(there), HasSubstr("is there already")));
  }
  EXPECT_EQ(text_of(path()), "something else");
  EXPECT_THAT(files(), UnorderedElementsAre("ring.json", "link"));
}

TEST_F(KeyRingFileOfCommands, WithoutAFolderItIsNotMade) {
  const auto created = create_key_ring_file(path("none/ring.json"), KeyRing::create("first").value());
  ASSERT_FALSE(created);
  EXPECT_THAT(created.error().detail, HasSubstr("/none'"));
  EXPECT_FALSE(create_key_ring_file(path("") + "/", KeyRing::create("first").value()));
}

TEST_F(KeyRingFileOfCommands, ChangeReplacesItAndKeepsItsMode) {
  create();
  chmod(path().c_str(), 0400);
  const auto before = std::filesystem::hard_link_count(path());
  const auto changed = change_key_ring_file(path(), rotate);
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ(changed->primary_id(), "next");
  EXPECT_EQ(KeyRing::load(path()).value().primary_id(), "next");
  EXPECT_TRUE(KeyRing::load(path()).value().opening_key("first"));
  EXPECT_EQ(mode_of(path()), 0400U);
  EXPECT_EQ(std::filesystem::hard_link_count(path()), before);
  EXPECT_THAT(files(), ElementsAre("ring.json"));
}

// A reader that opened the file before still reads the whole old ring.
TEST_F(KeyRingFileOfCommands, ChangeNeverWritesIntoExistingFile) {
  create();
  const auto old_text = text_of(path());
  std::filesystem::create_hard_link(path(), path("old.json"));
  ASSERT_TRUE(change_key_ring_file(path(), rotate));
  EXPECT_EQ(text_of(path("old.json")), old_text);
  EXPECT_NE(text_of(path()), old_text);
}

TEST_F(KeyRingFileOfCommands, FailedChangeLeavesItAsItWas) {
  create();
  const auto old_text = text_of(path());
  const auto changed = change_key_ring_file(path(), [](KeyRing& ring) -> Result<void> {
    EXPECT_TRUE(ring.add("next"));
    return fail(ErrorKind::rejected, "still used");
  });
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().detail, "still used");
  EXPECT_EQ(text_of(path()), old_text);
  EXPECT_THAT(files(), ElementsAre("ring.json"));
}

TEST_F(KeyRingFileOfCommands, SymbolicLinkStaysOne) {
  create();
  std::filesystem::create_directory(path("elsewhere"));
  std::filesystem::create_symlink(path(), path("elsewhere/link"));
  ASSERT_TRUE(change_key_ring_file(path("elsewhere/link"), rotate));
  EXPECT_TRUE(std::filesystem::is_symlink(path("elsewhere/link")));
  EXPECT_EQ(KeyRing::load(path()).value().primary_id(), "next");
}

TEST_F(KeyRingFileOfCommands, SecondChangeAtTheSameTimeIsRefused) {
  create();
  const int folder = open(path("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(flock(folder, LOCK_EX | LOCK_NB), 0);
  const auto changed = change_key_ring_file(path(), rotate);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(changed.error().detail, HasSubstr("try again"));
  close(folder);
  EXPECT_TRUE(change_key_ring_file(path(), rotate));
}

// While one command changes the ring, a second one is refused too.
TEST_F(KeyRingFileOfCommands, LockIsHeldDuringTheChange) {
  create();
  const auto outer = change_key_ring_file(path(), [&](KeyRing& ring) {
    EXPECT_FALSE(change_key_ring_file(path(), rotate));
    return rotate(ring);
  });
  EXPECT_TRUE(outer);
}

TEST_F(KeyRingFileOfCommands, UnusableFilesAreNamed) {
  const auto missing = change_key_ring_file(path(), rotate);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  create();
  chmod(path().c_str(), 0644);
  const auto open_to_all = change_key_ring_file(path(), rotate);
  ASSERT_FALSE(open_to_all);
  EXPECT_THAT(open_to_all.error().detail, AllOf(HasSubstr(path()), HasSubstr("chmod 600")));
}

}  // namespace
}  // namespace tokenrail::cli
