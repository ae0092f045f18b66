// An event that cannot be read never loses or changes a tool call in silence: each event of each recorded stream that
// has calls is made unreadable in turn, and the answer fails or has the very calls.
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/providers/profile.hpp"
#include "common/providers/provider.hpp"
#include "tests/conformance/chat_completions.hpp"
#include "tests/conformance/cuts.hpp"
#include "tests/conformance/exchanges.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

using providers::test::AnswerRecorder;

const std::vector<std::string>& folders() {
  static const std::vector<std::string> all = {
      "anthropic",  "azure",    "cohere",  "compat-other", "gemini", "groq",          "huggingface",
      "llamacpp",   "lmstudio", "mistral", "ollama",       "openai", "ollama-openai", "openai-responses",
      "openrouter", "tgi",      "vllm"};
  return all;
}

class UnreadEvents : public Exchange {
 protected:
  [[nodiscard]] MakeDecoder decoders() const {
    const auto folder = GetParam().substr(0, GetParam().find('/'));
    const bool responses = GetParam().contains("/responses-");
    return [folder, responses, name = GetParam()] {
      const auto* const profile = providers::find_profile(responses ? "openai-responses" : folder);
      const bool own = profile != nullptr && profile->adapter != "openai" && profile->adapter != "azure";
      const auto target = own ? providers::Target{.provider = std::string(profile->provider),
                                                  .base_url = "https://provider.example",
                                                  .upstream_name = "m"}
                              : target_of(name);
      events::ChatRequest request;
      request.stream = true;
      request.messages.push_back({.role = events::Role::user, .content = {{.text = "hi"}}});
      request.tools.push_back({.name = "look"});
      auto call = providers::find_provider(own ? profile->adapter : adapter_of(name))->chat(request, target, {});
      return std::move(call.value().decoder);
    };
  }
  [[nodiscard]] AnswerRecorder decoded(std::string_view body) const {
    AnswerRecorder recorder;
    decode(decoders(), {body}, recorder);
    return recorder;
  }
  /// Without their ids: an answer whose calls have none numbers them. Parallel calls have no order, and one whose
  /// beginning is unreadable becomes known at its end.
  static std::multiset<std::string> calls_of(const AnswerRecorder& answer) {
    std::multiset<std::string> out;
    for (const auto& call : answer.tool_calls()) out.insert(fmt::format("{} {}", call.name, call.arguments));
    return out;
  }
};

/// Where each payload begins and ends: the data of an event, or a line.
std::vector<std::pair<std::size_t, std::size_t>> payloads_of(const Recording& recording) {
  std::vector<std::pair<std::size_t, std::size_t>> out;
  const std::string_view body = recording.body;
  for (std::size_t at = 0; at < body.size();) {
    const auto end = std::min(body.find('\n', at), body.size());
    auto line = body.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto begin = line.find('{');
    if ((recording.lines || line.starts_with("data:")) && begin != std::string_view::npos) {
      out.emplace_back(at + begin, at + line.size());
    }
    at = end + 1;
  }
  return out;
}

TEST_P(UnreadEvents, NeverLoseOrChangeAToolCall) {
  if (recording_.status != 200 || (!recording_.events && !recording_.lines)) return;
  const auto whole = decoded(recording_.body);
  if (whole.tool_calls().empty() || !whole.finish()) return;
  for (const auto& [begin, end] : payloads_of(recording_)) {
    const auto middle = begin + ((end - begin) / 2);
    for (const auto& spoilt : {std::string("#"), recording_.body.substr(begin, middle - begin), std::string("[1]")}) {
      const auto answer = decoded(recording_.body.substr(0, begin) + spoilt + recording_.body.substr(end));
      EXPECT_EQ(answer.endings(), 1);
      if (answer.failure()) continue;
      EXPECT_EQ(calls_of(answer), calls_of(whole))
          << recording_.body.substr(begin, end - begin) << " became " << spoilt;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, UnreadEvents, testing::ValuesIn(cases_of(folders())), test_name);

}  // namespace
}  // namespace tokenrail::conformance
