// Enough of an answer to distinguish two, in no memory: a body is decoded thousands of times, cut at each of its bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <variant>

#include "common/providers/answer.hpp"

namespace tokenrail::providers::test {

class AnswerHash final : public AnswerSink {
 public:
  void on_event(AnswerEvent event) override {
    add(event.index() + 1);
    std::visit([this](const auto& one) { take(one); }, event);
  }
  [[nodiscard]] std::uint64_t value() const { return hash_; }

 private:
  void take(const TextDelta& delta) { mix(delta.text); }
  void take(const ReasoningDelta& delta) { mix(delta.text); }
  void take(const ToolCallDone& done) {
    mix(done.call.id);
    mix(done.call.name);
    mix(done.call.arguments);
  }
  void take(const OpaqueBlock& opaque) {
    mix(opaque.block.provider);
    mix(opaque.block.data);
  }
  void take(const UsageReport& report) {
    add(static_cast<std::uint64_t>(report.usage.input_tokens));
    add(static_cast<std::uint64_t>(report.usage.output_tokens));
    add(static_cast<std::uint64_t>(report.usage.cached_input_tokens.value_or(-1)));
    add(static_cast<std::uint64_t>(report.usage.cache_write_input_tokens.value_or(-1)));
    add(static_cast<std::uint64_t>(report.usage.reasoning_tokens.value_or(-1)));
  }
  void take(const ProviderRequestId& id) { mix(id.id); }
  void take(const AnswerWarning& warning) { mix(warning.text); }
  void take(const AnswerFinished& finished) { add(static_cast<std::uint64_t>(finished.reason)); }
  void take(const AnswerFailed& failed) {
    add(static_cast<std::uint64_t>(failed.failure.failure.code));
    mix(failed.failure.failure.message);
  }
  void mix(std::string_view text) {
    add(text.size());
    add(std::hash<std::string_view>{}(text));
  }
  void add(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001B3ULL + (hash_ >> 29U); }
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace tokenrail::providers::test
