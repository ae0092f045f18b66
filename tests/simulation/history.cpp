#include "tests/simulation/history.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <numeric>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

History run_history(std::uint64_t seed, const std::vector<std::size_t>& items, bool spoken) {
  const auto plan = make_plan(seed);
  World world(items.empty() ? plan : plan.with_only(items), spoken);
  History history{.seed = seed};
  history.violation = world.run();
  history.hash = world.trace.hash();
  history.steps = world.scheduler.steps();
  history.figures = world.oracle.figures();
  return history;
}

Shortest shortest(std::uint64_t seed, const Violation& violation, std::chrono::seconds time) {
  const auto until = Clock::now() + time;
  Shortest best{.items = std::vector<std::size_t>(make_plan(seed).items()), .violation = violation};
  std::iota(best.items.begin(), best.items.end(), std::size_t{0});
  // Leave out half of them, a quarter, …, one, over and over, as long as the same promise breaks.
  for (std::size_t size = std::max<std::size_t>(1, best.items.size() / 2); size > 0; size /= 2) {
    bool shorter = true;
    while (shorter && Clock::now() < until) {
      shorter = false;
      for (std::size_t at = 0; at < best.items.size() && Clock::now() < until;) {
        std::vector<std::size_t> fewer = best.items;
        const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
        fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, fewer.size() - at)));
        const auto history = fewer.empty() ? History{} : run_history(seed, fewer);
        if (history.violation && history.violation->promise == violation.promise) {
          best = {.items = std::move(fewer), .violation = *history.violation};
          shorter = true;
        } else {
          at += size;
        }
      }
    }
  }
  return best;
}

std::string described(const Plan& plan) {
  auto text = fmt::format("  {} partitions, {} workers, all well after {} ms\n", plan.partitions, plan.workers,
                          plan.heal_at.count() / 1000);
  for (const auto& r : plan.requests) {
    text += fmt::format("  {:>6} ms  request of partition {}, key {}, {} tokens{}{}{}{}\n", r.at.count() / 1000,
                        r.partition, r.key, r.tokens, r.kind == RequestKind::duplicate ? ", a duplicate" : "",
                        r.kind == RequestKind::garbage ? ", no JSON" : "",
                        r.timeout_ms > 0 ? fmt::format(", timeoutMs {}", r.timeout_ms) : "",
                        r.cancel_after != RequestPlan::no_cancel
                            ? fmt::format(", cancelled {} ms later", r.cancel_after.count() / 1000)
                            : "");
  }
  for (const auto& f : plan.faults) {
    const auto when = f.moment == Moment::time ? fmt::format("{:>6} ms", f.at / 1000)
                                               : fmt::format("{} no. {}", name_of(f.moment), f.at);
    text += fmt::format(
        "  {}  {} of {}, {} ms\n", when, name_of(f.kind),
        f.slot == Fault::slot_involved ? std::string("the worker involved") : fmt::format("worker {}", f.slot),
        f.amount / 1000);
  }
  return text;
}

std::string to_text(const std::vector<std::size_t>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size();) {
    std::size_t last = i;
    while (last + 1 < items.size() && items[last + 1] == items[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", items[i]);
    if (last > i) text += fmt::format("-{}", items[last]);
    i = last + 1;
  }
  return text;
}

std::optional<std::vector<std::size_t>> items_from(std::string_view text) {
  std::vector<std::size_t> items;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    std::size_t first = 0;
    const char* const begin = part.data();
    const char* const end = begin + part.size();
    auto read = std::from_chars(begin, end, first);
    if (read.ec != std::errc{}) return std::nullopt;
    auto last = first;
    if (read.ptr != end) {
      if (*read.ptr != '-') return std::nullopt;
      read = std::from_chars(read.ptr + 1, end, last);
      if (read.ec != std::errc{} || read.ptr != end || last < first) return std::nullopt;
    }
    for (auto item = first; item <= last; ++item) items.push_back(item);
  }
  return items;
}

// --- many -----------------------------------------------------------------------------------------------------------

namespace {

// What a searching process writes: one line a red history, and one at its end.
void search_part(const Search& search, std::uint64_t part, FILE* out) {
  const auto until = Clock::now() + search.time;
  Found found;
  const auto jobs = static_cast<std::uint64_t>(search.jobs);
  for (std::uint64_t i = part; i < search.seeds && Clock::now() < until; i += jobs) {
    fmt::print(out, "at {}\n", search.from + i);
    std::fflush(out);
    const auto history = run_history(search.from + i);
    ++found.histories;
    found.steps += history.steps;
    found.figures += history.figures;
    if (search.digests) fmt::print(out, "digest {} {} {}\n", history.seed, history.hash, history.steps);
    if (!history.violation) continue;
    fmt::print(out, "red {} {} {}\n", history.seed, history.violation->promise, history.violation->text);
    std::fflush(out);
    if (search.stop_at_first) break;
  }
  fmt::print(out, "end {} {}", found.histories, found.steps);
  for (const auto& member : Oracle::Figures::members()) fmt::print(out, " {}", found.figures.*member.value);
  fmt::print(out, "\n");
  std::fflush(out);
}

void read_part(FILE* in, Found& found) {
  std::array<char, 4096> line{};
  std::uint64_t at = 0;
  bool ended = false;
  while (std::fgets(line.data(), static_cast<int>(line.size()), in) != nullptr) {
    std::string_view text(line.data());
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.starts_with("at ")) {
      std::from_chars(text.data() + 3, text.data() + text.size(), at);
    } else if (text.starts_with("red ")) {
      text.remove_prefix(4);
      History history;
      const auto read = std::from_chars(text.data(), text.data() + text.size(), history.seed);
      text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()) + 1);
      const auto space = std::min(text.find(' '), text.size());
      history.violation = Violation{.promise = std::string(text.substr(0, space)),
                                    .text = std::string(text.substr(std::min(space + 1, text.size())))};
      found.red.push_back(std::move(history));
      continue;
    }
    const char* next = text.data() + std::min(text.find(' '), text.size());
    const auto number = [&]<class Value>(Value value) {
      next = std::from_chars(next + 1, text.data() + text.size(), value).ptr;
      return value;
    };
    if (text.starts_with("digest ")) {
      const auto seed = number(std::uint64_t{});
      const auto hash = number(std::uint64_t{});
      found.digests.push_back({.seed = seed, .hash = hash, .steps = number(std::uint64_t{})});
    } else if (text.starts_with("end ")) {
      ended = true;
      found.histories += number(std::uint64_t{});
      found.steps += number(std::uint64_t{});
      for (const auto& member : Oracle::Figures::members()) found.figures.*member.value += number(std::int64_t{});
    }
  }
  if (!ended) {
    found.died = true;
    found.red.push_back({.seed = at, .violation = Violation{.promise = "CRASH", .text = "the process ended in it"}});
  }
}

}  // namespace

Found search(const Search& search) {
  const auto began = Clock::now();
  Found found;
  struct Part {
    pid_t pid;
    FILE* in;
  };
  std::vector<Part> parts;
  for (int part = 0; part < search.jobs; ++part) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) break;
    std::fflush(stdout);
    const auto pid = fork();
    if (pid == 0) {
      close(ends[0]);
      FILE* out = fdopen(ends[1], "w");
      search_part(search, static_cast<std::uint64_t>(part), out);
      std::fclose(out);
      _exit(0);
    }
    close(ends[1]);
    if (pid > 0) parts.push_back({.pid = pid, .in = fdopen(ends[0], "r")});
  }
  for (const auto& part : parts) {
    read_part(part.in, found);
    std::fclose(part.in);
    waitpid(part.pid, nullptr, 0);
  }
  std::ranges::sort(found.red, {}, &History::seed);
  std::ranges::sort(found.digests, {}, &Digest::seed);
  found.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return found;
}

}  // namespace tokenrail::simulation
