// With other recordings than those of docs/reference/providers.md the layer runs, and leaves out only what follows from
// all of those together.
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/exchanges.hpp"

namespace tokenrail::conformance {
namespace {

namespace fs = std::filesystem;

/// A folder with one exchange of each provider, a stream where there is one. Removed at the end.
class OneOfEach {
 public:
  OneOfEach() {
    std::map<std::string, std::string> chosen;
    for (const auto& name : all_cases()) {
      const auto slash = name.find('/');
      auto& one = chosen[name.substr(0, slash)];
      const bool stream = name.substr(slash + 1).starts_with("stream");
      if (one.empty() || (stream && !one.substr(slash + 1).starts_with("stream"))) one = name;
    }
    for (const auto& [provider, name] : chosen) {
      fs::create_directories(path_ / provider);
      fs::create_directory_symlink(fs::canonical(transcripts_folder() / name), path_ / name);
    }
  }
  ~OneOfEach() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  OneOfEach(const OneOfEach&) = delete;
  OneOfEach& operator=(const OneOfEach&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  const fs::path path_ = fs::path(testing::TempDir()) / fmt::format("tokenrail-one-of-each-{}", getpid());
};

TEST(OtherRecordings, DecideOnlyAboutDecoders) {
  if (all_cases().front().empty()) GTEST_SKIP() << "there are no recorded exchanges in " << transcripts_folder();
  const OneOfEach recordings;
  // What does not read recordings has been run already.
  const auto command = fmt::format(
      "env -u GTEST_TOTAL_SHARDS -u GTEST_SHARD_INDEX -u GTEST_OUTPUT TOKENRAIL_TRANSCRIPTS='{}' '{}' --gtest_brief=1 "
      "--gtest_filter='-OtherRecordings.*:*Conversation.AnswersAre*:*Conversation.EachOther*' 2>&1",
      recordings.path().string(), fs::read_symlink("/proc/self/exe").string());
  auto* const output = popen(command.c_str(), "r");
  ASSERT_NE(output, nullptr);
  std::string text;
  std::array<char, 4096> piece{};
  while (std::fgets(piece.data(), piece.size(), output) != nullptr) text += piece.data();
  const int status = pclose(output);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << text;
  EXPECT_NE(text.find("exchanges were read."), std::string::npos) << text;
}

}  // namespace
}  // namespace tokenrail::conformance
