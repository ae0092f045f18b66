// tokenrail-simulate: histories of the real router core in a simulated world, one a seed. See `./dev simulate`.

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "tests/simulation/bugs.hpp"
#include "tests/simulation/history.hpp"

namespace {

using namespace tokenrail::simulation;

constexpr std::string_view usage =
    R"(Usage: tokenrail-simulate [--seeds N] [--from S] [--jobs N] [--bug NAME] [--keep ITEMS] [--trace] [--all]
                         [--digest]

  --seeds N     how many histories (1000)
  --from S      the first seed (1)
  --jobs N      processes (one a core)
  --bug NAME    with that bug planted in the router's core; `--bug list` names them
  --keep ITEMS  only these requests and faults of the plan, as a shortened history names them ("0,3-5")
  --trace       tells what happens; with one seed
  --all         goes on behind the first violation
  --digest      prints the seed, the hash of what happened and the steps of each history, and nothing else: two versions
                of the router that do the same print the same
Ends with 0 where every promise was kept, with 1 where one was broken.
)";

struct Asked {
  Search search{};
  std::vector<std::size_t> keep{};
  std::string bug{};
  bool trace = false;
};

bool number(std::string_view text, std::uint64_t& value) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

/// false: the arguments make no sense; it has been said why.
bool parse(const std::vector<std::string_view>& arguments, Asked& asked) {
  asked.search.jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto name = arguments[i];
    if (name == "--trace") {
      asked.trace = true;
      continue;
    }
    if (name == "--all" || name == "--digest") {
      asked.search.stop_at_first = false;
      asked.search.digests = asked.search.digests || name == "--digest";
      continue;
    }
    const auto value = i + 1 < arguments.size() ? arguments[++i] : std::string_view{};
    std::uint64_t n = 0;
    if (name == "--bug" && !value.empty()) {
      asked.bug = value;
    } else if (name == "--keep" && items_from(value)) {
      asked.keep = *items_from(value);
    } else if (name == "--seeds" && number(value, n)) {
      asked.search.seeds = n;
    } else if (name == "--from" && number(value, n)) {
      asked.search.from = n;
    } else if (name == "--jobs" && number(value, n) && n > 0 && n <= 256) {
      asked.search.jobs = static_cast<int>(n);
    } else {
      fmt::print(stderr, "tokenrail-simulate: {} {}\n{}", name, value, usage);
      return false;
    }
  }
  return true;
}

void tell(const History& history, const Asked& asked) {
  constexpr std::chrono::seconds shortening{20};
  fmt::print("seed {}: {} broken: {}\n", history.seed, history.violation->promise, history.violation->text);
  const auto bug = asked.bug.empty() ? "" : " --bug " + asked.bug;
  if (history.violation->promise == "CRASH") {
    fmt::print("replay: ./dev simulate --seeds 1 --from {} --jobs 1 --trace{}\n", history.seed, bug);
    return;
  }
  const auto found = shortest(history.seed, *history.violation, shortening);
  fmt::print("shortest history found: {}\n{}", found.violation.text,
             described(make_plan(history.seed).with_only(found.items)));
  fmt::print("replay: ./dev simulate --seeds 1 --from {} --keep {} --trace{}\n", history.seed, to_text(found.items),
             bug);
}

int run_one(const Asked& asked) {
  const auto history = run_history(asked.search.from, asked.keep, asked.trace);
  fmt::print("seed {}: {} steps, history {:016x}\n", history.seed, history.steps, history.hash);
  if (!history.violation) return 0;
  fmt::print("{} broken: {}\n", history.violation->promise, history.violation->text);
  return 1;
}

int run_many(const Asked& asked) {
  const auto found = search(asked.search);
  if (asked.search.digests) {
    for (const auto& digest : found.digests) fmt::print("{} {:016x} {}\n", digest.seed, digest.hash, digest.steps);
    return found.red.empty() ? 0 : 1;
  }
  if (!found.red.empty()) tell(found.red.front(), asked);
  for (std::size_t i = 1; i < found.red.size(); ++i) {
    fmt::print("seed {}: {} broken: {}\n", found.red[i].seed, found.red[i].violation->promise,
               found.red[i].violation->text);
  }
  std::string figures;
  for (const auto& member : Oracle::Figures::members()) {
    figures += fmt::format("{}{} {}", figures.empty() ? "" : ", ", found.figures.*member.value, member.name);
  }
  fmt::print("{}\n", figures);
  fmt::print("{} histories, {} steps, {} violations, {:.0f} seeds a second\n", found.histories, found.steps,
             found.red.size(), static_cast<double>(found.histories) / std::max(found.seconds, 0.001));
  return found.red.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::off);
  Asked asked;
  if (!parse({argv + 1, argv + argc}, asked)) return 2;
  if (asked.bug == "list") {
    for (const auto& [name, bug] : planted_bugs()) fmt::print("{}\n", name);
    return 0;
  }
  if (!asked.bug.empty()) {
    const auto bug = bug_named(asked.bug);
    if (!bug) {
      fmt::print(stderr, "tokenrail-simulate: no bug is called {}; --bug list names them\n", asked.bug);
      return 2;
    }
    tokenrail::router::planted_bug = *bug;
  }
  return asked.trace || !asked.keep.empty() ? run_one(asked) : run_many(asked);
}
