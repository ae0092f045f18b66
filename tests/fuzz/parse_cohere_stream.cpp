#include <algorithm>
#include <string>

#include "common/events/utf8.hpp"
#include "common/providers/cohere/decoder.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

using namespace tokenrail;

namespace {

providers::test::AnswerRecorder decoded(std::string_view bytes, std::size_t cut, bool stream) {
  providers::test::AnswerRecorder recorder;
  const auto decoder =
      providers::cohere::make_decoder(stream, {.item_bytes_max = 2048, .answer_bytes_max = 4096}, "Cohere", 100);
  decoder->feed(bytes.substr(0, cut), recorder);
  decoder->feed(bytes.substr(cut), recorder);
  decoder->end(recorder);
  return recorder;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto step = events::utf8_step(text);
    if (!step.valid) return false;
    text.remove_prefix(step.bytes);
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // The first byte: its lowest bit is whether a stream was asked for, the others are where the rest is cut in two.
  if (size == 0) return 0;
  const auto text = fuzz::text_of(bytes, size).substr(1);
  const bool stream = (bytes[0] & 1U) != 0;
  const auto whole = decoded(text, text.size(), stream);
  const auto cut = decoded(text, std::min<std::size_t>(bytes[0] >> 1U, text.size()), stream);
  fuzz::expect(whole.endings() == 1 && !whole.said_something_after_the_end());
  fuzz::expect(whole.summary() == cut.summary());
  fuzz::expect(whole.text().size() + whole.reasoning().size() <= 4096);
  fuzz::expect(is_utf8(whole.text()) && is_utf8(whole.reasoning()));
  if (whole.failure()) fuzz::expect(!whole.failure()->message.empty() && is_utf8(whole.failure()->message));
  if (whole.usage()) fuzz::expect(whole.usage()->input_tokens >= 0 && whole.usage()->output_tokens >= 0);
  return 0;
}
