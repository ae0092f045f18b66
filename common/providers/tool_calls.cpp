#include "common/providers/tool_calls.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/providers/failure_text.hpp"
#include "common/providers/json_scratch.hpp"

namespace tokenrail::providers {

ToolCallAssembler::Open& ToolCallAssembler::find(const Fragment& fragment) {
  const auto index = fragment.index.value_or(-1);
  const auto other = [&](const Open& open) {
    return !fragment.id.empty() && !open.call.id.empty() && open.call.id != fragment.id;
  };
  // The latest first: of two calls with one index the newer one is being written.
  for (auto at = calls_.rbegin(); at != calls_.rend(); ++at) {
    const bool meant = index >= 0             ? at->index == index && !other(*at)
                       : !fragment.id.empty() ? at->call.id == fragment.id
                                              : true;
    if (meant) return *at;
  }
  calls_.push_back({.index = index});
  return calls_.back();
}

void ToolCallAssembler::add(const Fragment& fragment) {
  auto& call = find(fragment).call;
  bytes_ += fragment.arguments.size();
  if (call.id.empty()) {
    call.id = fragment.id;
    bytes_ += fragment.id.size();
  }
  if (call.name.empty()) {
    call.name = fragment.name;
    bytes_ += fragment.name.size();
  }
  call.arguments += fragment.arguments;
}

Result<std::vector<events::ToolCall>> ToolCallAssembler::take() {
  std::vector<events::ToolCall> out;
  bytes_ = 0;
  for (auto& [index, call] : std::exchange(calls_, {})) {
    if (call.name.empty()) return fail(ErrorKind::invalid_input, "a tool call has no name");
    if (call.id.empty()) call.id = fmt::format("call_{}", out.size() + 1);
    if (!regular_arguments(call.arguments)) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("the arguments of the call of \"{}\" are not a JSON object: {}", quotable(call.name, 64),
                              quotable(std::string_view(call.arguments).substr(0, 200), 80)));
    }
    out.push_back(std::move(call));
  }
  return out;
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
