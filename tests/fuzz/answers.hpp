// What holds for the answer that a decoder makes of any bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string_view>

#include "common/events/utf8.hpp"
#include "common/providers/answer.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::fuzz {

inline constexpr std::size_t answer_bytes_max = 4096;

/// UTF-8 without NUL.
inline bool clean(std::string_view text) {
  while (!text.empty()) {
    const auto step = events::utf8_step(text);
    if (!step.valid || text.front() == '\0') return false;
    text.remove_prefix(step.bytes);
  }
  return true;
}

template <class MakeDecoder>
providers::test::AnswerRecorder decoded(MakeDecoder&& make, std::string_view bytes, std::size_t cut) {
  providers::test::AnswerRecorder recorder;
  const std::unique_ptr<providers::AnswerDecoder> decoder = make();
  decoder->feed(bytes.substr(0, cut), recorder);
  decoder->feed(bytes.substr(cut), recorder);
  decoder->end(recorder);
  return recorder;
}

/// Decodes `bytes` whole and cut in two: the same answer, one end, within its bounds, of clean text. `make`: a decoder
/// whose answers may have answer_bytes_max. Returns the answer, for what holds for one format only.
template <class MakeDecoder>
providers::test::AnswerRecorder expect_sound_answer(MakeDecoder&& make, std::string_view bytes, std::size_t cut) {
  auto whole = decoded(make, bytes, bytes.size());
  const auto pieces = decoded(make, bytes, std::min(cut, bytes.size()));
  expect(whole.endings() == 1 && !whole.said_something_after_the_end());
  if (whole.summary() != pieces.summary()) {
    std::fprintf(stderr, "whole: %s\ncut:   %s\n", whole.summary().c_str(), pieces.summary().c_str());
  }
  expect(whole.summary() == pieces.summary());
  expect(whole.text().size() + whole.reasoning().size() <= answer_bytes_max);
  expect(clean(whole.text()) && clean(whole.reasoning()));
  for (const auto& call : whole.tool_calls()) {
    expect(!call.id.empty() && !call.name.empty() && call.arguments.starts_with('{'));
  }
  if (whole.usage()) expect(whole.usage()->input_tokens >= 0 && whole.usage()->output_tokens >= 0);
  if (whole.failure()) expect(!whole.failure()->message.empty() && clean(whole.failure()->message));
  return whole;
}

}  // namespace tokenrail::fuzz
