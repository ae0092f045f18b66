#include "common/providers/openai_responses/decoder.hpp"
#include "tests/fuzz/answers.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // The first byte says whether a stream was asked for, and where the others are cut in two.
  if (size == 0) return 0;
  const auto text = fuzz::text_of(bytes, size).substr(1);
  const bool stream = (bytes[0] & 1U) != 0;
  const auto make = [&] {
    return providers::openai_responses::make_decoder(
        stream, {.item_bytes_max = 2048, .answer_bytes_max = fuzz::answer_bytes_max}, {.provider = "openai"});
  };
  const auto answer = fuzz::expect_sound_answer(make, text, bytes[0]);
  fuzz::expect(!answer.finish() || answer.usage());
  return 0;
}
