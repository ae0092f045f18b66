// docs/explanation/providers/README.md: its tables are what the adapters do. To write them again:
//   TOKENRAIL_TEST_UPDATE_PAGES=1 build/dev/bin/unit-providers-tests --gtest_filter='ProviderPage.*'
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/providers/profile.hpp"
#include "common/providers/provider.hpp"

namespace tokenrail::providers {
namespace {

using events::ChatRequest;
using events::Message;
using events::Role;

const std::string page_path = TOKENRAIL_SOURCE_DIR "/docs/explanation/providers/README.md";

std::string read_page() {
  std::ifstream file(page_path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The table between the two comments of that name is `table`.
void expect_current(std::string_view name, const std::string& table) {
  const auto begin_mark = fmt::format("<!-- {}: written by a test -->\n", name);
  const auto end_mark = fmt::format("<!-- end of {} -->", name);
  auto page = read_page();
  const auto begin = page.find(begin_mark);
  const auto end = page.find(end_mark);
  ASSERT_NE(begin, std::string::npos) << page_path << " lacks " << begin_mark;
  ASSERT_NE(end, std::string::npos) << page_path << " lacks " << end_mark;
  const auto from = begin + begin_mark.size();
  if (std::getenv("TOKENRAIL_TEST_UPDATE_PAGES") != nullptr) {
    page.replace(from, end - from, table);
    std::ofstream(page_path, std::ios::binary) << page;
  }
  const auto now = read_page();
  EXPECT_EQ(now.substr(from, now.find(end_mark) - from), table)
      << "The page is not what the adapters do. Write it again:\n  TOKENRAIL_TEST_UPDATE_PAGES=1 "
         "build/dev/bin/unit-providers-tests --gtest_filter='ProviderPage.*'";
}

Target target_of(std::string_view adapter) {
  for (const auto& profile : profiles()) {
    if (profile.adapter != adapter) continue;
    return {.provider = std::string(profile.provider),
            .base_url = profile.base_url.empty() ? "https://provider.example" : std::string(profile.base_url),
            .upstream_name = "model"};
  }
  return {.provider = std::string(adapter), .base_url = "https://provider.example", .upstream_name = "model"};
}

using Change = std::function<void(ChatRequest&)>;
struct Probe {
  std::string_view field;
  Change change;
  Change before{};  ///< what the request has anyway
};

Change part(events::ContentPart one) {
  return [one](ChatRequest& request) { request.messages[0].content.push_back(one); };
}

void tools(ChatRequest& request) {
  request.tools = {{.name = "f", .description = "d", .parameters = R"({"type":"object","properties":{}})"}};
}

Change choice(events::ToolChoice::Mode mode, std::string name = "") {
  return [mode, name](ChatRequest& request) { request.tool_choice = events::ToolChoice{.mode = mode, .name = name}; };
}

Change reasoning(events::Reasoning one) {
  return [one](ChatRequest& request) { request.reasoning = one; };
}

Change format(events::ResponseFormat one) {
  return [one](ChatRequest& request) { request.response_format = one; };
}

/// The messages after a first answer with a call of a tool.
void tool_result(ChatRequest& request) {
  tools(request);
  Message answer{.role = Role::assistant};
  answer.tool_calls.push_back({.id = "call_1", .name = "f", .arguments = "{}"});
  Message result{.role = Role::tool};
  result.tool_call_id = "call_1";
  result.name = "f";
  result.content.push_back({.type = "text", .text = "5"});
  request.messages.insert(request.messages.end(), {std::move(answer), std::move(result)});
}

std::vector<Probe> probes() {
  using Mode = events::ToolChoice::Mode;
  using Kind = events::ResponseFormat::Kind;
  const std::string schema =
      R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})";
  return {
      {"`temperature`", [](ChatRequest& r) { r.temperature = 0.5; }},
      {"`topP`", [](ChatRequest& r) { r.top_p = 0.5; }},
      {"`topK`", [](ChatRequest& r) { r.top_k = 5; }},
      {"`maxTokens`", [](ChatRequest& r) { r.tokens_max = 7; }},
      {"`stop`", [](ChatRequest& r) { r.stop = {"END"}; }},
      {"`seed`", [](ChatRequest& r) { r.seed = 7; }},
      {"`stream: false`", [](ChatRequest& r) { r.stream = false; }},
      {"system message",
       [](ChatRequest& r) {
         r.messages.insert(r.messages.begin(),
                           Message{.role = Role::system, .content = {{.type = "text", .text = "be kind"}}});
       }},
      {"image as data", part({.type = "image", .data = "iVBORw0KGgo=", .media_type = "image/png"})},
      {"image as URL", part({.type = "image", .url = "https://h.example/a.png"})},
      {"file as data",
       part({.type = "file", .data = "JVBERi0=", .media_type = "application/pdf", .filename = "a.pdf"})},
      {"file as URL", part({.type = "file", .url = "https://h.example/a.pdf", .media_type = "application/pdf"})},
      {"audio as data", part({.type = "audio", .data = "UklGRg==", .media_type = "audio/wav"})},
      {"`tools`", &tools},
      {"`toolChoice: \"none\"`", choice(Mode::none), &tools},
      {"`toolChoice: \"required\"`", choice(Mode::required), &tools},
      {"`toolChoice` by name", choice(Mode::named, "f"), &tools},
      {"tool results", &tool_result, &tools},
      {"`responseFormat: \"json\"`", format({.kind = Kind::json})},
      {"`responseFormat` with a schema", format({.kind = Kind::json_schema, .schema = schema})},
      {"`reasoning: true`", reasoning({.enabled = true})},
      {"`reasoning: false`", reasoning({.enabled = false})},
      {"`reasoning: \"high\"`", reasoning({.enabled = true, .effort = "high"})},
      {"`reasoning.maxTokens`", reasoning({.enabled = true, .tokens_max = 2048}), reasoning({.enabled = true})},
  };
}

ChatRequest request_of(const Probe& probe, bool changed) {
  ChatRequest request;
  request.request_id = "r";
  request.org_id = "o";
  request.messages.push_back({.role = Role::user, .content = {{.type = "text", .text = "hi"}}});
  if (probe.before) probe.before(request);
  if (changed) probe.change(request);
  return request;
}

/// What an adapter makes of a field: the request as it is with it, compared with the request without it.
std::string effect(const Provider& provider, const Probe& probe) {
  const auto target = target_of(provider.adapter());
  const auto without = provider.chat(request_of(probe, false), target, {});
  EXPECT_TRUE(without) << provider.adapter() << " " << probe.field;
  const auto with = provider.chat(request_of(probe, true), target, {});
  if (!with) return "refused";
  const bool warned = with->warnings.size() > without->warnings.size();
  const bool same = with->request.body == without->request.body && with->request.url == without->request.url;
  if (same) return warned ? "left out, warning" : "same as without";
  return warned ? "changed, warning" : "sent";
}

TEST(ProviderPage, FieldsAreWhatTheAdaptersDo) {
  auto adapters = adapter_names();
  std::ranges::sort(adapters);
  std::string table = "| chat request |";
  std::string line = "| --- |";
  for (const auto& adapter : adapters) {
    table += fmt::format(" `{}` |", adapter);
    line += " --- |";
  }
  table += "\n" + line + "\n";
  for (const auto& probe : probes()) {
    table += fmt::format("| {} |", probe.field);
    for (const auto& adapter : adapters) table += fmt::format(" {} |", effect(*find_provider(adapter), probe));
    table += "\n";
  }
  expect_current("fields", table);
}

TEST(ProviderPage, ProvidersAreWhatTheProfilesSay) {
  const auto code = [](std::string_view text) { return text.empty() ? std::string("-") : fmt::format("`{}`", text); };
  std::string table = "| provider | name | adapter | base URL | variables |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& profile : profiles()) {
    auto variables = code(profile.key_variable);
    if (!profile.url_variable.empty()) {
      variables = (profile.key_variable.empty() ? "" : variables + ", ") + code(profile.url_variable);
    }
    table += fmt::format("| {} | {} | {} | {} | {} |\n", code(profile.provider), profile.title, code(profile.adapter),
                         profile.base_url.empty() ? "your own" : code(profile.base_url), variables);
  }
  expect_current("providers", table);
}

}  // namespace
}  // namespace tokenrail::providers
