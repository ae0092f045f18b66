#include "common/providers/anthropic/anthropic.hpp"
#include "common/providers/anthropic/decoder.hpp"
#include "tests/fuzz/answers.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // The first byte picks the form of the answer, the second where it is cut in two.
  if (size < 2) return 0;
  const bool stream = (bytes[0] & 1U) != 0;
  const auto text = fuzz::text_of(bytes, size).substr(2);
  const auto make = [&] {
    // No event reaches the bound on one: that bound belongs to the framer, which has tests of its own.
    return providers::anthropic::make_decoder(
        stream, "anthropic", {.item_bytes_max = 16 * 1024, .answer_bytes_max = fuzz::answer_bytes_max});
  };
  fuzz::expect_sound_answer(make, text, bytes[1]);

  if (const auto page = providers::anthropic::parse_model_list(text)) {
    for (const auto& model : page->models) fuzz::expect(!model.name.empty());
    fuzz::expect((page->skipped > 0) == !page->first_skipped.empty());
  }
  return 0;
}
