#include <algorithm>
#include <string>

#include "common/events/utf8.hpp"
#include "common/providers/anthropic/anthropic.hpp"
#include "common/providers/anthropic/decoder.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

using namespace tokenrail;

namespace {

providers::test::AnswerRecorder decoded(std::string_view bytes, std::size_t cut, bool stream) {
  providers::test::AnswerRecorder recorder;
  // No event reaches the bound on one: that bound belongs to the framer, which has tests of its own.
  const auto decoder =
      providers::anthropic::make_decoder(stream, "anthropic", {.item_bytes_max = 16 * 1024, .answer_bytes_max = 4096});
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
  // The first byte picks the form of the answer, the second where it is cut in two.
  if (size < 2) return 0;
  const bool stream = (bytes[0] & 1U) != 0;
  const auto text = fuzz::text_of(bytes, size).substr(2);
  const auto whole = decoded(text, text.size(), stream);
  const auto cut = decoded(text, std::min<std::size_t>(bytes[1], text.size()), stream);
  fuzz::expect(whole.endings() == 1 && !whole.said_something_after_the_end());
  fuzz::expect(whole.summary() == cut.summary());
  fuzz::expect(whole.text().size() + whole.reasoning().size() <= 4096);
  fuzz::expect(clean(whole.text()) && clean(whole.reasoning()));
  for (const auto& call : whole.tool_calls()) {
    fuzz::expect(!call.id.empty() && !call.name.empty() && call.arguments.starts_with('{'));
  }
  if (whole.usage()) fuzz::expect(whole.usage()->input_tokens >= 0 && whole.usage()->output_tokens >= 0);
  if (whole.failure()) fuzz::expect(!whole.failure()->message.empty() && clean(whole.failure()->message));

  if (const auto page = providers::anthropic::parse_model_list(text)) {
    for (const auto& model : page->models) fuzz::expect(!model.name.empty());
    fuzz::expect((page->skipped > 0) == !page->first_skipped.empty());
  }
  return 0;
}
