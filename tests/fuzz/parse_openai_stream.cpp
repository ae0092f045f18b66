#include <algorithm>
#include <string>

#include "common/events/utf8.hpp"
#include "common/providers/openai/decoder.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

using namespace tokenrail;

namespace {

providers::test::AnswerRecorder decoded(std::string_view bytes, std::size_t cut, bool stream) {
  providers::test::AnswerRecorder recorder;
  const auto decoder = providers::openai::make_decoder({.stream = stream,
                                                        .limits = {.item_bytes_max = 2048, .answer_bytes_max = 4096},
                                                        .provider = "openrouter",
                                                        .profile = &providers::openai::chat_profile("openrouter")});
  decoder->feed(bytes.substr(0, cut), recorder);
  decoder->feed(bytes.substr(cut), recorder);
  decoder->end(recorder);
  return recorder;
}

bool clean(std::string_view text) {
  while (!text.empty()) {
    const auto step = events::utf8_step(text);
    if (!step.valid || text.front() == '\0') return false;
    text.remove_prefix(step.bytes);
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // The first byte says whether the answer is a stream, and where the others are cut in two.
  if (size == 0) return 0;
  const auto text = fuzz::text_of(bytes, size).substr(1);
  const bool stream = (bytes[0] & 1U) != 0;
  const auto whole = decoded(text, text.size(), stream);
  const auto cut = decoded(text, std::min<std::size_t>(bytes[0], text.size()), stream);
  fuzz::expect(whole.endings() == 1 && !whole.said_something_after_the_end());
  // A line without a field is bounded by what of it had to be kept, so at the limit the cut decides.
  const auto too_large = [](const providers::test::AnswerRecorder& answer) {
    return answer.failure() && answer.failure()->code == events::ErrorCode::response_too_large;
  };
  if (!too_large(whole) && !too_large(cut)) fuzz::expect(whole.summary() == cut.summary());
  fuzz::expect(whole.text().size() + whole.reasoning().size() <= 4096);
  fuzz::expect(clean(whole.text()) && clean(whole.reasoning()));
  fuzz::expect(!whole.finish() || whole.usage().has_value());
  if (whole.failure()) fuzz::expect(!whole.failure()->message.empty() && clean(whole.failure()->message));
  return 0;
}
