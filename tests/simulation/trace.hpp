// What happened in a history, as a running hash (the same seed gives the same one) and, where asked for, as text.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string_view>

#include <fmt/format.h>

#include "tests/simulation/random.hpp"
#include "tests/simulation/scheduler.hpp"

namespace tokenrail::simulation {

class Trace {
 public:
  explicit Trace(bool spoken) : spoken_(spoken) {}

  void note(Micros now, std::uint64_t kind, std::uint64_t a, std::uint64_t b, std::string_view bytes = {}) {
    hash_ = mixed(hash_ ^ static_cast<std::uint64_t>(now.count()), mixed(kind, a, b), of(bytes));
  }
  [[nodiscard]] bool spoken() const { return spoken_; }
  template <class... Args>
  void say(Micros now, fmt::format_string<Args...> text, Args&&... args) {
    if (!spoken_) return;
    fmt::print("{:>12.3f} ms  {}\n", static_cast<double>(now.count()) / 1000.0,
               fmt::format(text, std::forward<Args>(args)...));
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  static std::uint64_t of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
    return hash;
  }

  bool spoken_;
  std::uint64_t hash_ = 0;
};

}  // namespace tokenrail::simulation
