// The recorded exchanges with providers, from the folder that TOKENRAIL_TRANSCRIPTS names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/http/client.hpp"
#include "tests/simulator/recording.hpp"

namespace tokenrail::conformance {

using simulator::Recording;

/// TOKENRAIL_TRANSCRIPTS, else ../shared/transcripts beside the source tree.
[[nodiscard]] std::filesystem::path transcripts_folder();

/// Every "ollama/<case>", sorted; one empty name where there is no such folder, so that there is a test to skip.
[[nodiscard]] std::vector<std::string> ollama_cases();

/// The same of these folders: every "<folder>/<case>", by folder and sorted.
[[nodiscard]] std::vector<std::string> cases_of(const std::vector<std::string>& folders);

/// The same of every folder.
[[nodiscard]] std::vector<std::string> all_cases();

/// The head of the recorded response, as the HTTP client delivers it.
[[nodiscard]] http::ResponseHead head_of(const Recording& recording);

/// What kind of call it is, by its path alone.
enum class Call { chat, tags, show, other };
[[nodiscard]] Call call_of(const Recording& recording);

/// Whether a stream was asked for; where the request was not recorded, whether one came.
[[nodiscard]] bool asks_for_stream(const Recording& recording);

/// A test a case: loads the recording that its parameter names, or skips where there is none.
class Exchange : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;
  Recording recording_{};
};
using OllamaExchange = Exchange;

/// A name that GoogleTest takes, of a case.
[[nodiscard]] std::string test_name(const testing::TestParamInfo<std::string>& info);

}  // namespace tokenrail::conformance
