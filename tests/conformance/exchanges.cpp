#include "tests/conformance/exchanges.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <simdjson.h>

#include "tests/conformance/cuts.hpp"

namespace tokenrail::conformance {

std::filesystem::path transcripts_folder() {
  if (const char* folder = std::getenv("TOKENRAIL_TRANSCRIPTS"); folder != nullptr && *folder != '\0') return folder;
  return std::filesystem::path(TOKENRAIL_SOURCE_DIR) / ".." / "shared" / "transcripts";
}

std::vector<std::string> cases_of(const std::vector<std::string>& folders) {
  std::vector<std::string> names;
  for (const auto& folder : folders) {
    std::vector<std::string> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(transcripts_folder() / folder, error)) {
      if (entry.is_directory()) found.push_back(folder + "/" + entry.path().filename().string());
    }
    std::ranges::sort(found);
    names.insert(names.end(), found.begin(), found.end());
  }
  if (names.empty()) names.emplace_back();
  return names;
}

std::vector<std::string> ollama_cases() {
  return cases_of({"ollama"});
}

std::vector<std::string> all_cases() {
  std::vector<std::string> folders;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(transcripts_folder(), error)) {
    if (entry.is_directory()) folders.push_back(entry.path().filename().string());
  }
  std::ranges::sort(folders);
  return cases_of(folders);
}

http::ResponseHead head_of(const Recording& recording) {
  http::ResponseHead head{.status = recording.status};
  const auto lower = [](std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  };
  for (const auto& [name, value] : recording.headers) head.headers.push_back({.name = lower(name), .value = value});
  // Where the recorder kept no headers, the framing says what the type was.
  const auto type = !recording.content_type.empty() ? recording.content_type
                    : recording.events              ? std::string("text/event-stream")
                                                    : std::string("application/json");
  head.headers.push_back({.name = "content-type", .value = type});
  return head;
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

void Exchange::SetUp() {
  if (GetParam().empty()) {
    GTEST_SKIP() << "there are no recorded exchanges in " << transcripts_folder()
                 << "; set TOKENRAIL_TRANSCRIPTS to the folder that has them";
  }
  auto recording = simulator::load_recording(transcripts_folder(), GetParam());
  ASSERT_TRUE(recording) << recording.error().detail;
  recording_ = std::move(*recording);
  note_read(GetParam());
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  if (info.param.empty()) return "none";
  std::string name = info.param;
  if (name.starts_with("ollama/")) name = name.substr(name.find('/') + 1);
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

}  // namespace tokenrail::conformance
