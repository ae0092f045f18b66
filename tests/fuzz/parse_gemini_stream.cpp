#include <algorithm>
#include <string>

#include "common/events/utf8.hpp"
#include "common/providers/gemini/decoder.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

using namespace tokenrail;

namespace {

providers::test::AnswerRecorder decoded(std::string_view bytes, std::size_t cut, bool stream) {
  providers::test::AnswerRecorder recorder;
  const auto decoder = providers::gemini::make_decoder(stream, {.item_bytes_max = 2048, .answer_bytes_max = 4096});
  decoder->feed(bytes.substr(0, cut), recorder);
  decoder->feed(bytes.substr(cut), recorder);
  decoder->end(recorder);
  return recorder;
}

bool clean(std::string_view text) {
  while (!text.empty()) {
    const auto step = events::utf8_step(text);
    if (!step.valid) return false;
    text.remove_prefix(step.bytes);
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // The first byte says whether a stream was asked for, and where the others are cut in two.
  if (size == 0) return 0;
  const auto text = fuzz::text_of(bytes, size).substr(1);
  const bool stream = (bytes[0] & 1) != 0;
  const auto whole = decoded(text, text.size(), stream);
  const auto cut = decoded(text, std::min<std::size_t>(bytes[0] / 2, text.size()), stream);
  fuzz::expect(whole.endings() == 1 && !whole.said_something_after_the_end());
  fuzz::expect(whole.summary() == cut.summary());
  fuzz::expect(whole.text().size() + whole.reasoning().size() <= 4096);
  fuzz::expect(clean(whole.text()) && clean(whole.reasoning()));
  for (const auto& call : whole.tool_calls()) {
    fuzz::expect(!call.id.empty() && !call.name.empty() && call.arguments.starts_with('{'));
  }
  if (whole.failure()) fuzz::expect(!whole.failure()->message.empty() && clean(whole.failure()->message));
  return 0;
}
