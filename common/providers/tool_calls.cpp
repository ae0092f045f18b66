#include "common/providers/tool_calls.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/providers/failure_text.hpp"
#include "common/providers/json_scratch.hpp"

namespace tokenrail::providers {

std::string too_many_calls_text(std::string_view title) {
  return fmt::format("{}'s answer cannot be used: it has more than {} tool calls. Ask again.", title, tool_calls_max);
}

std::optional<std::size_t> ToolCallAssembler::find(const Fragment& fragment) const {
  if (calls_.empty()) return std::nullopt;
  const auto place_in = [](const auto& map, const auto& key) -> std::optional<std::size_t> {
    const auto found = map.find(key);
    return found == map.end() ? std::nullopt : std::optional(found->second);
  };
  const auto latest = calls_.size() - 1;
  const auto index = fragment.index.value_or(-1);
  if (index < 0) return fragment.id.empty() ? latest : place_in(of_id_, fragment.id);
  const auto fits = [&](std::size_t place) {
    const auto& id = calls_[place].call.id;
    return fragment.id.empty() || id.empty() || id == fragment.id;
  };
  if (calls_[latest].index == index && fits(latest)) return latest;
  // Of several calls with one index the newest is being written. One without an id is the only one of its index.
  const auto newest = place_in(of_index_, index);
  if (!newest || fits(*newest)) return newest;
  return place_in(of_both_, std::pair(index, fragment.id));
}

void ToolCallAssembler::name(std::size_t place, std::string_view id) {
  auto& [index, call] = calls_[place];
  if (!call.id.empty() || id.empty()) return;
  call.id = id;
  text_bytes_ += id.size();
  auto& latest = of_id_.try_emplace(call.id, place).first->second;
  latest = std::max(latest, place);
  if (index >= 0) of_both_.try_emplace({index, call.id}, place);
}

bool ToolCallAssembler::add(const Fragment& fragment) {
  const auto known = find(fragment);
  if (!known && calls_.size() == tool_calls_max) return false;
  const auto place = known.value_or(calls_.size());
  if (!known) {
    const auto index = fragment.index.value_or(-1);
    calls_.push_back({.index = index});
    if (index >= 0) of_index_.insert_or_assign(index, place);
  }
  name(place, fragment.id);
  auto& call = calls_[place].call;
  text_bytes_ += fragment.arguments.size();
  if (call.name.empty()) {
    call.name = fragment.name;
    text_bytes_ += fragment.name.size();
  }
  call.arguments += fragment.arguments;
  return true;
}

ToolCallAssembler::Taken ToolCallAssembler::take() {
  Taken out;
  text_bytes_ = 0;
  of_index_.clear();
  of_id_.clear();
  of_both_.clear();
  for (auto& [index, call] : std::exchange(calls_, {})) {
    auto problem = make_regular(call);
    if (!problem.empty()) {
      if (out.problem.empty()) out.problem = std::move(problem);
      continue;
    }
    if (call.id.empty()) call.id = fmt::format("call_{}", out.whole.size() + 1);
    out.whole.push_back(std::move(call));
  }
  return out;
}

std::string make_regular(events::ToolCall& call) {
  if (call.name.empty()) return "a tool call has no name";
  if (regular_arguments(call.arguments)) return {};
  return fmt::format("the arguments of the call of \"{}\" are not a JSON object: {}", quotable(call.name, 64),
                     quotable(std::string_view(call.arguments).substr(0, 200), 80));
}

bool regular_arguments(std::string& arguments) {
  if (arguments.find_first_not_of(" \t\r\n") == std::string::npos) {
    arguments = "{}";
    return true;
  }
  std::string regular;
  if (!minify_object(arguments, regular)) return false;
  arguments = std::move(regular);
  return true;
}

}  // namespace tokenrail::providers
