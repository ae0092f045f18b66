#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/settings.hpp"

namespace tokenrail::config {
namespace {

using ::testing::HasSubstr;

class ReadFile : public ::testing::Test {
 protected:
  static std::string in_folder(const std::string& name) { return ::testing::TempDir() + "read-file-" + name; }
  static std::string written(const std::string& name, const std::string& text) {
    std::ofstream(in_folder(name), std::ios::binary) << text;
    return in_folder(name);
  }
};

TEST_F(ReadFile, GivesItsText) {
  EXPECT_EQ(read_file(written("some.toml", "[log]\nlevel = \"warn\"\n")).value(), "[log]\nlevel = \"warn\"\n");
  EXPECT_EQ(read_file(written("empty.toml", "")).value(), "");
}

// A directory opens like a file and only then gives nothing.
TEST_F(ReadFile, ErrorNamesPathThatIsNoFile) {
  const auto folder = in_folder("folder");
  std::filesystem::create_directory(folder);
  for (const auto& name : {folder, in_folder("missing.toml")}) {
    const auto text = read_file(name);
    ASSERT_FALSE(text.has_value()) << name;
    EXPECT_THAT(text.error().detail, HasSubstr(name));
  }
}

TEST_F(ReadFile, HasABound) {
  EXPECT_TRUE(read_file(written("large.toml", std::string(1 << 20, '#'))).has_value());
  const auto larger = read_file(written("larger.toml", std::string((1 << 20) + 1, '#')));
  ASSERT_FALSE(larger.has_value());
  EXPECT_THAT(larger.error().detail, HasSubstr("larger than 1 MiB"));
}

}  // namespace
}  // namespace tokenrail::config
