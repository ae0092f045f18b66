#include "tests/conformance/exchanges.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <simdjson.h>

namespace tokenrail::conformance {

std::filesystem::path transcripts_folder() {
  if (const char* folder = std::getenv("TOKENRAIL_TRANSCRIPTS"); folder != nullptr && *folder != '\0') return folder;
  return std::filesystem::path(TOKENRAIL_SOURCE_DIR) / ".." / "shared" / "transcripts";
}

std::vector<std::string> ollama_cases() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(transcripts_folder() / "ollama", error)) {
    if (entry.is_directory()) names.push_back("ollama/" + entry.path().filename().string());
  }
  std::ranges::sort(names);
  if (names.empty()) names.emplace_back();
  return names;
}

Call call_of(const Recording& recording) {
  if (recording.path.ends_with("/api/chat")) return Call::chat;
  if (recording.path.ends_with("/api/tags")) return Call::tags;
  if (recording.path.ends_with("/api/show")) return Call::show;
  return Call::other;
}

bool asks_for_stream(const Recording& recording) {
  if (recording.request.empty()) return recording.lines;
  simdjson::dom::parser parser;
  bool stream = true;
  if (parser.parse(recording.request)["stream"].get_bool().get(stream) != simdjson::SUCCESS) return true;
  return stream;
}

void OllamaExchange::SetUp() {
  if (GetParam().empty()) {
    GTEST_SKIP() << "there are no recorded exchanges in " << transcripts_folder() / "ollama"
                 << "; set TOKENRAIL_TRANSCRIPTS to the folder that has them";
  }
  auto recording = simulator::load_recording(transcripts_folder(), GetParam());
  ASSERT_TRUE(recording) << recording.error().detail;
  recording_ = std::move(*recording);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  if (info.param.empty()) return "none";
  std::string name = info.param.substr(info.param.find('/') + 1);
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

}  // namespace tokenrail::conformance
