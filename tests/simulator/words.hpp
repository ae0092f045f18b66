// The deterministic words of an answer, and what else is drawn from a message. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/answer.hpp"
#include "tests/simulator/behaviour.hpp"

namespace tokenrail::simulator {

inline constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;
[[nodiscard]] std::uint64_t mixed(std::uint64_t x);
[[nodiscard]] std::uint64_t hash_of(std::string_view text);
/// A number that depends on the message and `part` alone.
[[nodiscard]] std::uint64_t mixed_hash(std::string_view message, std::uint64_t part);

/// The tokens of one answer, one at a time, so that an endless answer needs no memory.
class Tokens {
 public:
  Tokens(const ChatCall& call, const Behaviour& behaviour);
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] bool cut() const { return cut_; }
  [[nodiscard]] std::string at(std::size_t index) const;

 private:
  [[nodiscard]] std::string whole(std::size_t index) const;
  /// An answer that begins with the assistant's message at the end of the request continues behind it; any other
  /// message changes nothing.
  void skip(std::string_view prefill);

  std::string message_;
  Behaviour behaviour_;
  std::vector<std::string> pieces_{};
  std::size_t count_ = 0;
  std::size_t skipped_ = 0;
  std::size_t skipped_bytes_ = 0;  ///< of the first token that is not skipped
  bool cut_ = false;
};

}  // namespace tokenrail::simulator
