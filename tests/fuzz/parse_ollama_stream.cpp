#include "common/providers/ollama/decoder.hpp"
#include "tests/fuzz/answers.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // The first byte is where the others are cut in two.
  if (size == 0) return 0;
  const auto text = fuzz::text_of(bytes, size).substr(1);
  for (const bool stream : {true, false}) {
    const auto make = [&] {
      return providers::ollama::make_decoder(stream,
                                             {.item_bytes_max = 2048, .answer_bytes_max = fuzz::answer_bytes_max});
    };
    fuzz::expect_sound_answer(make, text, bytes[0]);
  }
  return 0;
}
