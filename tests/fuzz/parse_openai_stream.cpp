#include "common/providers/openai/decoder.hpp"
#include "tests/fuzz/answers.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // The first byte says whether a stream was asked for, and where the others are cut in two. The second one says which
  // provider answers, and what the request had: tools, a text to go on from, a model to compare with.
  if (size < 2) return 0;
  const auto text = fuzz::text_of(bytes, size).substr(2);
  const bool stream = (bytes[0] & 1U) != 0;
  const auto profiles = providers::openai::chat_profiles();
  const auto& profile = profiles[(bytes[1] & 0x1FU) % profiles.size()];
  const auto has = [&](unsigned bit) { return (bytes[1] & bit) != 0; };
  const auto make = [&] {
    return providers::openai::make_decoder(
        {.stream = stream,
         .limits = {.item_bytes_max = 2048, .answer_bytes_max = fuzz::answer_bytes_max},
         .provider = std::string(profile.provider),
         .model = has(0x80U) ? "model" : "",
         .profile = &profile,
         .tools = has(0x20U),
         .repeated = has(0x40U) ? "ab ab  " : ""});
  };
  const auto answer = fuzz::expect_sound_answer(make, text, bytes[0]);
  fuzz::expect(!answer.finish() || answer.usage().has_value());
  return 0;
}
